package drift_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// What a run costs at a thousand targets, a hundred of which have drifted, in
// requests to GitHub: counted, not timed.
func TestCallsAtAThousandTargets(t *testing.T) {
	t.Parallel()
	gh := fakegithub.Start(t)
	gh.Repository(repository)
	token := gh.NewToken(us, fakegithub.Permissions{"contents": "read", "issues": "write"})
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	backend, err := folder.Open(memory(t))
	if err != nil {
		t.Fatal(err)
	}
	store := planstore.New(backend, func() time.Time { return now })
	var names []drift.Name
	for i := range 1000 {
		names = append(names, drift.Name{Component: fmt.Sprintf("component-%03d", i), Stack: "dev"})
	}
	for run, want := range []struct {
		drifted       string
		reads, writes int
	}{
		{"A", 10, 100}, // a hundred new ones
		{"A", 10, 0},   // nothing changed
		{"B", 10, 100}, // other changes
	} {
		now = now.Add(time.Hour)
		for i, name := range names {
			r := drift.Result{
				Target: planstore.Target{Repository: repository, Component: name.Component, Stack: name.Stack},
				Run:    planstore.Run{ID: fmt.Sprint(run), Attempt: 1}, Commit: strings.Repeat("a", 40), At: now, Outcome: drift.NotDrifted,
			}
			if i < 100 {
				r.Outcome, r.ChangesDigest, r.Counts = drift.Drifted, digest(want.drifted), changes.Counts{Update: 1}
			}
			if err := drift.In(store).PutResult(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		// Each run is a process of its own, which has to ask who it is.
		client, err := github.New(gh.URL(), token, github.WithPace(0))
		if err != nil {
			t.Fatal(err)
		}
		reads, writes := gh.Counts()
		reconciled, err := drift.Reconciler{
			Repository: repository, Run: planstore.Run{ID: fmt.Sprint(run), Attempt: 1}, GitHub: client, Store: drift.In(store), Now: func() time.Time { return now },
			Options: drift.Options{MaxOpened: -1, CloseFixed: true},
			InGit:   func(context.Context) ([]drift.Name, error) { return names, nil },
		}.Reconcile(t.Context())
		done := reconciled.Done
		if err != nil || len(done) != 100 {
			t.Fatalf("%d targets, error %v", len(done), err)
		}
		for _, d := range done {
			if d.Err != nil {
				t.Fatalf("%s: %v", d.Step, d.Err)
			}
		}
		reads2, writes2 := gh.Counts()
		t.Logf("run %d: %d reads, %d writes", run, reads2-reads, writes2-writes)
		if reads2-reads > want.reads || writes2-writes > want.writes || want.writes == 0 && writes2 != writes {
			t.Errorf("run %d: %d reads and %d writes, want at most %d and %d", run, reads2-reads, writes2-writes, want.reads, want.writes)
		}
	}
}
