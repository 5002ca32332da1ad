package main

import (
	"context"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
)

// appliedBefore applies the plan that the issue shows as another run would, with a claim.
func appliedBefore() int {
	err := func() error {
		ctx := context.Background()
		backend, err := folder.Open("store")
		if err != nil {
			return err
		}
		store := planstore.New(backend, time.Now)
		target := planstore.Target{Repository: "acme/infrastructure", Component: "network", Stack: "acme-ue2-dev"}
		link, err := readLink(ctx, store, target)
		if err != nil {
			return err
		}
		stored, err := store.FindRecord(ctx, target, link.RecordID)
		if err != nil {
			return err
		}
		run := planstore.Run{ID: "77", Attempt: 1, URL: "https://github.com/acme/infrastructure/actions/runs/77"}
		if err := store.Claim(ctx, stored.Record, run, "hubot", planstore.Audit{}); err != nil {
			return err
		}
		return store.Finish(ctx, stored.Record, run, planstore.Result{Status: planstore.StatusApplied})
	}()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
