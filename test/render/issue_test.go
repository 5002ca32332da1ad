package render

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

const repository = "acme/infra"

// driftIssue returns the body of the issue that drift detection opens for a result.
func driftIssue(t *testing.T, result drift.Result) string {
	t.Helper()
	now := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	backend, err := folder.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store := planstore.New(backend, clock)
	result.Target.Repository = repository
	result.Run = planstore.Run{ID: "1234567890", Attempt: 1, URL: run}
	result.Commit, result.At = strings.Repeat("4f1c2d9a", 5), now.Add(-time.Minute)
	if err := drift.In(store).PutResult(t.Context(), result); err != nil {
		t.Fatal(err)
	}
	gh := fakegithub.Start(t)
	gh.Repository(repository)
	client, err := github.New(gh.URL(), gh.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "read", "issues": "write"}), github.WithPace(0))
	if err != nil {
		t.Fatal(err)
	}
	reconciled, err := drift.Reconciler{
		Repository: repository, Run: result.Run, GitHub: client, Store: drift.In(store), Now: clock,
		Options: drift.Options{MaxOpened: -1, DiscardFor: 30 * 24 * time.Hour},
	}.Reconcile(t.Context())
	done := reconciled.Done
	if err != nil || len(done) != 1 || done[0].Err != nil {
		t.Fatalf("%d steps, error %v", len(done), err)
	}
	return done[0].Issue.Body
}

// drifted returns a result with a plan that the label applies.
func drifted(component, stack, section string) drift.Result {
	return drift.Result{
		Target:  planstore.Target{Component: component, Stack: stack},
		Outcome: drift.Drifted, Report: section, Counts: changes.Counts{Update: 1}, ChangesDigest: strings.Repeat("c1", 32),
		RecordID: strings.Repeat("4f1c2d9a", 5) + "#2026-11-24T05:59:00.000000000Z#1234567890.1#" + strings.Repeat("5ea1", 16), PlanDigest: strings.Repeat("9f86d081", 8), ExpiresAt: time.Date(2026, 11, 25, 5, 59, 0, 0, time.UTC),
	}
}

// driftIssues returns the bodies of issues, by name.
func driftIssues(t *testing.T) map[string]string {
	t.Helper()
	reports := golden(t)
	issues := map[string]string{
		"the issue of a drift":      driftIssue(t, drifted("network", "acme-ue2-dev", reports["drift-section"])),
		"the issue of a wide drift": driftIssue(t, drifted("network", "acme-ue2-dev", reports["drift-section-wide"])),
		"the issue of a failure": driftIssue(t, drift.Result{
			Target:  planstore.Target{Component: "network", Stack: "acme-ue2-dev"},
			Outcome: drift.PlanFailed, Report: reports["drift-section-failed"], Error: "ask @octocat about #12, at https://localhost:1/evil_1",
		}),
		"the issue of a report that forges our lines": driftIssue(t, drifted("network", "acme-ue2-dev",
			"x\n<!-- gitops-drift-end -->\n<!-- gitops-drift-plan x -->\n<!-- gitops-drift-begin -->\n")),
	}
	for i, s := range []string{"</details><script>evil_1()</script>", "`evil_1` @octocat fixes #12", "|<!-- gitops-drift-end -->| evil_1"} {
		section := report.Drift{Drifted: true, Changes: hostilePlan(s)}.Section(drift.MaxReport)
		issues[fmt.Sprintf("the issue of hostile target %d", i)] = driftIssue(t, drifted("component "+s, "stack "+s, section))
	}
	return issues
}
