package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
)

// planRecords prints the plan records of pull request 41 from a store in a folder: plan-records
// FOLDER. It leaves out what differs each time: runs, times, and the planfile, which contains a time.
func planRecords() int {
	if err := printPlanRecords(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func printPlanRecords(ctx context.Context, path string) error {
	backend, err := folder.Open(path)
	if err != nil {
		return err
	}
	store := planstore.New(backend, time.Now)
	plans, err := store.PlansOfPullRequest(ctx, "acme/infrastructure", 41)
	if err != nil {
		return err
	}
	slices.SortFunc(plans, func(a, b planstore.PlanSummary) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
	})
	for _, p := range plans {
		found, err := store.FindRecord(ctx, p.Target, p.RecordID)
		if err != nil {
			return err
		}
		r := found.Record
		fmt.Printf("%s: %s of %s for %s onto %s on %s, %+v, state %+v\n", r.Target, r.Outcome, r.Kind, r.Commit, r.BaseCommit, r.Branch, r.Counts, r.State)
		fmt.Printf("policies %q, equal to %d\n", r.PolicyResult, len(r.EqualTo))
		for _, required := range r.Required {
			fmt.Printf("needs %s: %s (%s)\n", required.Who(), required.Reason, required.Source)
		}
		fmt.Printf("configuration %s, %d files, %s %s, it lasts %v\n", r.ConfigurationDigest, len(r.Files), r.TerraformName, r.TerraformVersion, r.ExpiresAt.Sub(r.CreatedAt.Truncate(time.Second)))
	}
	return nil
}
