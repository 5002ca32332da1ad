//go:build scale

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/dynamo"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// scale is the number of targets in the repository. docs/scale.md has the results.
const scale = 10_000

func TestRequestsOf500Targets(t *testing.T) { checkRequests(t, 500) }

// TestSelection measures what a plan does before it plans: it finds out which of 10,000 targets a
// change affects, and writes the matrix and the overview.
func TestSelection(t *testing.T) {
	actions := built(t)
	for name, changed := range map[string]string{"one component": "components/c007/main.tf", "a module that all call": "modules/m/main.tf"} {
		f := &fleet{Runner: &fakerunner.Runner{Dir: t.TempDir(), Repository: "acme/infra", Event: "workflow_dispatch", Environ: os.Environ(), Payload: []byte(`{"repository":{"default_branch":"main"}}`)}, actions: actions}
		config := "artifact-storage: { url: ../store }\nvar-files: [\"{stack}.tfvars\"]\nworkspace: \"{stack}\"\ncomponents:\n"
		for c := range 100 {
			dir := filepath.Join(f.Workspace(), "components", fmt.Sprintf("c%03d", c))
			config += fmt.Sprintf("  c%03d: {}\n", c)
			write(t, filepath.Join(dir, "main.tf"), "module \"m\" { source = \"../../modules/m\" }\n"+sample)
			for s := range 100 {
				write(t, filepath.Join(dir, fmt.Sprintf("s%03d.tfvars", s)), fmt.Sprintf("cidr = \"10.%d.0.0/16\"\n", s))
			}
		}
		config += "stacks:\n"
		for s := range 100 {
			config += fmt.Sprintf("  s%03d: {}\n", s)
		}
		write(t, filepath.Join(f.Workspace(), "modules/m/main.tf"), "locals {}\n")
		write(t, filepath.Join(f.Workspace(), "gitops.yaml"), config)
		f.git(t, "init", "--quiet", "--initial-branch=main")
		base := f.commit(t)
		write(t, filepath.Join(f.Workspace(), changed), "locals { changed = true }\n")
		f.head = f.commit(t)
		f.opened = f.Payload
		r := f.run(t, "plan", map[string]string{"matrix-only": "true", "base-sha": base})
		outputs, err := r.Outputs()
		must(t, err)
		summary, err := r.Summary()
		must(t, err)
		var matrix struct{ Include []any }
		must(t, json.Unmarshal([]byte(outputs["matrix"]), &matrix))
		t.Logf("%s: %s targets in %v (%v of CPU time), %d MB; matrix: %d entries, %d KB; summary %d KB",
			name, outputs["count"], r.took.Round(time.Millisecond), r.cpu.Round(time.Millisecond), r.peak/1024, len(matrix.Include), len(outputs["matrix"])/1024, len(summary)/1024)
	}
}

func TestOverview(t *testing.T) {
	m := report.NewMany(t.TempDir(), report.Plans, report.Subject{Commit: strings.Repeat("a", 40), CreatedAt: time.Now()})
	defer m.Close()
	plan := report.Plan{Changes: &changes.Plan{Counts: changes.Counts{Update: 1}}}
	var md string
	measure(t, "overview", func() {
		for i := range scale {
			e := report.Entry{Component: component(i), Stack: "stack", Status: report.Planned, Counts: plan.Changes.Counts}
			p := plan
			p.Component, p.Stack = e.Component, e.Stack
			must(t, m.Add(e, p))
		}
		var err error
		md, err = m.Markdown(markdown.SummaryLimit)
		must(t, err)
	})
	named := 0
	for i := range scale {
		if strings.Contains(md, component(i)) {
			named++
		}
	}
	t.Logf("%d KB, names %d targets", len(md)/1024, named)
}

// TestSuperseded measures an apply while 200 pull requests are open, each with plans of 10 of 100
// targets.
func TestSuperseded(t *testing.T) {
	const open, each, planned = 200, 10, 100
	store, trail := awsStore(t)
	gh := fakegithub.Start(t)
	repository := gh.Repository("acme/infra")
	planfile := filepath.Join(t.TempDir(), "planfile")
	write(t, planfile, "a plan")
	all, ctx := errgroup.WithContext(t.Context())
	all.SetLimit(8)
	record := func(i, pr int, sha string, at time.Time) planstore.Record {
		return planstore.Record{
			Target: targetOf(i), Commit: sha, CreatedAt: at, Run: runOf(pr), Actor: "mona", Kind: planstore.KindChange, Outcome: planstore.OutcomeChanges,
			PullRequest: pr, ExpiresAt: at.Add(24 * time.Hour),
		}
	}
	began := time.Now().Add(-time.Hour)
	for i := range open {
		sha := fmt.Sprintf("%040x", i+1)
		pr := repository.AddPullRequest(fakegithub.PullRequest{HeadSHA: sha, Head: fmt.Sprintf("b%d", i)})
		for k := range each {
			all.Go(func() error {
				_, err := store.Put(ctx, record((i*each+k)%planned, pr, sha, began), planfile)
				return err
			})
		}
	}
	must(t, all.Wait())
	var applied []pulls.Target
	for i := range planned {
		r, err := store.Put(t.Context(), record(i, 900, strings.Repeat("f", 40), began.Add(time.Minute)), planfile)
		must(t, err)
		must(t, store.Claim(t.Context(), r, runOf(900), "mona", planstore.Audit{}))
		must(t, store.Finish(t.Context(), r, runOf(900), planstore.Result{Status: planstore.StatusApplied}))
		applied = append(applied, pulls.Target{Target: targetOf(i), Store: store, PullRequest: 900})
	}
	client, err := github.New(gh.URL(), gh.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "write", "pull_requests": "read", "statuses": "write"}), github.WithPace(0))
	must(t, err)
	for _, n := range []int{1, planned} {
		calls, asked := len(trail.Calls()), len(gh.Requests())
		measure(t, fmt.Sprintf("after an apply of %d", n), func() {
			_, told, err := pulls.New(func() (*github.Client, error) { return client, nil }, "acme/infra").TellSuperseded(t.Context(), pulls.Applied{Targets: applied[:n], Commit: strings.Repeat("f", 40)})
			must(t, err)
			t.Logf("told %d", len(told))
		})
		count(t, trail, calls)
		countGitHub(t, gh, asked)
	}
}

// TestDrift measures drift detection with 10,000 results, a hundred of which have drifted.
func TestDrift(t *testing.T) {
	store, trail := awsStore(t)
	gh := fakegithub.Start(t)
	gh.Repository("acme/infra")
	var names []drift.Name
	for i := range scale {
		names = append(names, drift.Name{Component: component(i), Stack: "stack"})
	}
	client, err := github.New(gh.URL(), gh.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "read", "issues": "write"}), github.WithPace(0))
	must(t, err)
	for run := 1; run <= 2; run++ {
		all, ctx := errgroup.WithContext(t.Context())
		all.SetLimit(8)
		for i := range scale {
			r := drift.Result{Target: targetOf(i), Run: runOf(run), Commit: strings.Repeat("a", 40), At: time.Now(), Outcome: drift.NotDrifted}
			if i%100 == 0 {
				r.Outcome, r.ChangesDigest, r.Counts = drift.Drifted, strings.Repeat("ab", 32), changes.Counts{Update: 1}
			}
			all.Go(func() error { return drift.In(store).PutResult(ctx, r) })
		}
		must(t, all.Wait())
		calls, asked := len(trail.Calls()), len(gh.Requests())
		measure(t, fmt.Sprintf("drift, run %d", run), func() {
			reconciled, err := drift.Reconciler{
				Repository: "acme/infra", Run: runOf(run), GitHub: client, Store: drift.In(store), Now: time.Now, Options: drift.Options{MaxOpened: -1, CloseFixed: true},
				InGit: func(context.Context) ([]drift.Name, error) { return names, nil },
			}.Reconcile(t.Context())
			done := reconciled.Done
			must(t, err)
			t.Logf("%d steps", len(done))
		})
		count(t, trail, calls)
		countGitHub(t, gh, asked)
	}
}

// TestLookups measures reading from the store for all targets at once, and for one of them.
func TestLookups(t *testing.T) {
	store, trail := awsStore(t)
	var all []planstore.Target
	for i := range scale {
		all = append(all, targetOf(i))
	}
	for name, ask := range map[string]func() error{
		"last applies": func() error { _, err := store.LastApplies(t.Context(), all); return err },
		"locks":        func() error { _, err := store.ReadLocks(t.Context(), all); return err },
		"drift issues": func() error { _, err := drift.In(store).Links(t.Context(), all); return err },
	} {
		calls := len(trail.Calls())
		measure(t, name, func() { must(t, ask()) })
		count(t, trail, calls)
	}
}

func targetOf(i int) planstore.Target {
	return planstore.Target{Repository: "acme/infra", Component: component(i), Stack: "stack"}
}

func runOf(n int) planstore.Run { return planstore.Run{ID: fmt.Sprint(n), Attempt: 1} }

func awsStore(t *testing.T) (*planstore.Store, *fakeaws.Trail) {
	server := fakeaws.Start(t)
	bucket, table := fakeaws.CreateStore(t, server.Config())
	trail := fakeaws.NewTrail(server)
	endpoint := httptest.NewServer(trail)
	t.Cleanup(endpoint.Close)
	config := server.Config()
	config.BaseEndpoint = &endpoint.URL
	return planstore.New(dynamo.Open(config, bucket, table), time.Now), trail
}

// measure logs a part's wall time and how much was allocated meanwhile.
func measure(t *testing.T, what string, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	do()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	t.Logf("%s: %v, allocated %d MB", what, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20)
}

func count(t *testing.T, trail *fakeaws.Trail, from int) {
	t.Helper()
	counts, bytes := map[string]int{}, 0
	for _, c := range trail.Calls()[from:] {
		counts[c.Service+" "+c.Operation]++
		bytes += len(c.Body)
	}
	t.Logf("  AWS: %v, %d KB sent", counts, bytes/1024)
}

func countGitHub(t *testing.T, gh *fakegithub.Server, from int) {
	t.Helper()
	counts := map[string]int{}
	for _, r := range gh.Requests()[from:] {
		counts[r.Method+" "+number.ReplaceAllString(r.Path, "/N")]++
	}
	t.Logf("  GitHub: %v", counts)
}
