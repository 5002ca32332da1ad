package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
)

// driftResults prints the drift results of a workflow run from a store in a folder: drift-results
// FOLDER RUN. It writes the reports to the folder reports.
func driftResults() int {
	if err := printDriftResults(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func printDriftResults(ctx context.Context, path, run string) error {
	backend, err := folder.Open(path)
	if err != nil {
		return err
	}
	store := planstore.New(backend, time.Now)
	results, err := drift.In(store).Results(ctx, "acme/infrastructure", run)
	if err != nil {
		return err
	}
	if err := os.MkdirAll("reports", 0o755); err != nil {
		return err
	}
	for _, r := range results {
		fmt.Printf("%s: %s, %d to change, %d outside, commit %s\n", r.Target, r.Outcome, r.Counts.Update, r.Counts.Drift, r.Commit)
		fmt.Printf("changes %q refresh-only %v\n", r.ChangesDigest, r.RefreshOnly)
		fmt.Printf("error %q\n", r.Error)
		if r.RecordID != "" {
			found, err := store.FindRecord(ctx, r.Target, r.RecordID)
			if err != nil {
				return err
			}
			fmt.Printf("base %q\n", r.BaseDigest)
			fmt.Printf("record of kind %s is %s, its digest is the result's: %v, it lasts %v\n", found.Record.Kind, found.Status, found.Record.Digest == r.PlanDigest, r.ExpiresAt.Sub(r.At.Truncate(time.Second)))
		}
		if err := os.WriteFile(filepath.Join("reports", r.Component+".md"), []byte(r.Report), 0o600); err != nil {
			return err
		}
	}
	return nil
}
