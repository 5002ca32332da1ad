package pulls_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// status returns the newest status of ours on a commit, as "state: description".
func (w *world) status(commit string) string {
	for _, s := range slices.Backward(w.github.Statuses()) {
		if s.Commit == commit && s.Context == pulls.StatusContext {
			return s.State + ": " + s.Description
		}
	}
	return ""
}

// applied describes an apply of the pull request's plans of these targets.
func (w *world) applied(number int, targets ...planstore.Target) pulls.Applied {
	a := pulls.Applied{Commit: commit("a"), RunURL: "https://github.com/acme/infrastructure/actions/runs/1"}
	for _, t := range targets {
		a.Targets = append(a.Targets, pulls.Target{Target: t, Store: w.store, PullRequest: number})
	}
	return a
}

func TestOnlyOpenPullRequestsWithASupersededPlanOfTheirHeadAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, both, closed, pushed, other, again := w.open("1"), w.open("2"), w.open("3"), w.open("4"), w.open("5"), w.open("6")
	mine, mineToo := w.plan(network, one, commit("1")), w.plan(service, one, commit("1"))
	w.plan(network, both, commit("2"))
	w.plan(service, both, commit("2"))
	w.plan(network, closed, commit("3"))
	w.github.CloseIssue(closed, "mona")
	w.plan(network, pushed, commit("4"))
	w.github.Push(pushed, commit("7"))
	w.plan(planstore.Target{Repository: repository, Component: "network", Stack: "prod"}, other, commit("5"))
	w.plan(network, again, commit("6"))
	w.merge(one, "a")
	w.apply(mine)
	w.apply(mineToo)
	w.plan(network, again, commit("6"))

	superseded, told, err := w.job().TellSuperseded(t.Context(), w.applied(one, service, network))
	if err != nil || !slices.Equal(told, []int{both}) || !slices.Equal(superseded, told) {
		t.Errorf("told %v: %v", told, err)
	}
	want := fmt.Sprintf("failure: plan again: network in dev and 1 more were applied by #%d", one)
	if got := w.status(commit("2")); got != want {
		t.Errorf("status: %s", got)
	}
	if all := w.github.Statuses(); len(all) != 1 || all[0].URL == "" {
		t.Errorf("statuses: %+v", all)
	}
	if sent := w.github.Dispatches(); len(sent) > 0 {
		t.Errorf("sent: %+v", sent)
	}
}

func TestFewPullRequestsAreAskedForAndManyAreListed(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]string{3: "3 of /pulls/", 30: "1 of /pulls"} {
		w := newWorld(t)
		one := w.open("1")
		mine := w.plan(network, one, commit("1"))
		for range count {
			w.plan(network, w.open("2"), commit("2"))
		}
		w.merge(one, "a")
		w.apply(mine)
		if _, told, err := w.job().TellSuperseded(t.Context(), w.applied(one, network)); err != nil || len(told) != count {
			t.Errorf("told %v: %v", told, err)
		}
		lists, gets := 0, 0
		for _, r := range w.server.Requests() {
			switch {
			case strings.HasSuffix(r.Path, "/pulls"):
				lists++
			case strings.Contains(r.Path, "/pulls/"):
				gets++
			}
		}
		got := fmt.Sprintf("%d of /pulls/", gets)
		if gets == 0 {
			got = fmt.Sprintf("%d of /pulls", lists)
		}
		if got != want {
			t.Errorf("%d pull requests: %s, want %s", count, got, want)
		}
	}
}

func TestTheTextOfAStatusIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := planstore.Target{Repository: repository, Component: strings.Repeat("ü", 100), Stack: strings.Repeat("s", 100)}
	w.plan(long, w.open("2"), commit("2"))
	byHand := w.plan(long, 0, commit("a"))
	w.apply(byHand)
	if _, _, err := w.job().TellSuperseded(t.Context(), w.applied(0, long)); err != nil {
		t.Fatal(err)
	}
	if got := w.status(commit("2")); !strings.HasSuffix(got, " was applied by commit aaaaaaa") || !strings.Contains(got, "üü in sss") {
		t.Errorf("status: %s", got)
	}
}

func TestAStatusNamesWhosePlanWasApplied(t *testing.T) {
	t.Parallel()
	for want, of := range map[string]pulls.Target{
		"by #7":             {PullRequest: 7},
		"by drift issue #7": {DriftIssue: 7},
		"by commit aaaaaaa": {},
	} {
		w := newWorld(t)
		w.plan(network, w.open("2"), commit("2"))
		w.apply(w.plan(network, 0, commit("a")))
		a := w.applied(0, network)
		a.Targets[0].PullRequest, a.Targets[0].DriftIssue = of.PullRequest, of.DriftIssue
		if _, _, err := w.job().TellSuperseded(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		if got := w.status(commit("2")); got != "failure: plan again: network in dev was applied "+want {
			t.Errorf("status: %s, want it to end in %q", got, want)
		}
	}
}

func TestWhereATokenMayNotWriteStatusesTheSupersededAreKnownAllTheSame(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]struct{ told, writes int }{"write": {2, 2}, "read": {0, 1}} {
		w := newWorld(t)
		one, two, three := w.open("1"), w.open("2"), w.open("3")
		mine := w.plan(network, one, commit("1"))
		w.plan(network, two, commit("2"))
		w.plan(network, three, commit("3"))
		w.merge(one, "a")
		w.apply(mine)
		permissions := fakegithub.Permissions{"contents": "read", "pull_requests": "read", "statuses": level}
		superseded, told, err := w.requests(permissions).TellSuperseded(t.Context(), w.applied(one, network))
		if !slices.Equal(superseded, []int{two, three}) || len(told) != want.told || errors.Is(err, github.ErrPermission) != (level == "read") {
			t.Errorf("statuses: %s: superseded %v, told %v: %v", level, superseded, told, err)
		}
		writes := 0
		for _, r := range w.server.Requests() {
			if r.Method == http.MethodPost {
				writes++
			}
		}
		if writes != want.writes || len(w.github.Dispatches()) > 0 {
			t.Errorf("statuses: %s: %d writes, want %d; started: %+v", level, writes, want.writes, w.github.Dispatches())
		}
	}
}

func TestAFailedStatusEndsWhenAllIsPlannedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.open("1"), w.open("2")
	mine, mineToo := w.plan(network, one, commit("1")), w.plan(service, one, commit("1"))
	w.plan(network, two, commit("2"))
	w.plan(service, two, commit("2"))
	clear := func(planned ...planstore.Target) string {
		t.Helper()
		stores := func(context.Context) ([]*planstore.Store, error) { return []*planstore.Store{w.store}, nil }
		if err := w.job().SetChecks(t.Context(), stores, pulls.Planned{PullRequest: two, Commit: commit("2"), RunURL: "https://github.com/acme/infrastructure/actions/runs/2", Targets: planned}); err != nil {
			t.Fatal(err)
		}
		return w.status(commit("2"))
	}
	if got := clear(network, service); got != "" {
		t.Errorf("where nothing was said: %s", got)
	}
	w.merge(one, "a")
	w.apply(mine)
	w.apply(mineToo)
	if _, _, err := w.job().TellSuperseded(t.Context(), w.applied(one, network, service)); err != nil {
		t.Fatal(err)
	}
	failed := w.status(commit("2"))
	w.plan(network, two, commit("2"))
	if got := clear(network); got != failed {
		t.Errorf("with one of two planned again: %s", got)
	}
	w.plan(service, two, commit("2"))
	if got := clear(service); got != "success: planned again" {
		t.Errorf("with all planned again: %s", got)
	}
	before := len(w.github.Statuses())
	clear(network)
	if len(w.github.Statuses()) != before {
		t.Error("what is well already was said again")
	}
}

// A target's plan may be so new that the store's index doesn't have it yet.
func TestWhatWasPlannedJustNowIsNotLookedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.open("1"), w.open("2")
	mine := w.plan(network, one, commit("1"))
	w.plan(network, two, commit("2"))
	w.merge(one, "a")
	w.apply(mine)
	if _, _, err := w.job().TellSuperseded(t.Context(), w.applied(one, network)); err != nil {
		t.Fatal(err)
	}
	stores := func(context.Context) ([]*planstore.Store, error) { return []*planstore.Store{w.store}, nil }
	if err := w.job().SetChecks(t.Context(), stores, pulls.Planned{PullRequest: two, Commit: commit("2"), Targets: []planstore.Target{network}}); err != nil {
		t.Fatal(err)
	}
	if got := w.status(commit("2")); got != "success: planned again" {
		t.Errorf("status: %s", got)
	}
}

func TestEachEnvironmentHasACheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.open("1"), w.open("2")
	mine := w.plan(network, one, commit("1"))
	w.plan(network, two, commit("2"))
	set := func(checks ...pulls.Check) map[string]string {
		t.Helper()
		stores := func(context.Context) ([]*planstore.Store, error) { return []*planstore.Store{w.store}, nil }
		if err := w.job().SetChecks(t.Context(), stores, pulls.Planned{PullRequest: two, Commit: commit("2"), Checks: checks}); err != nil {
			t.Fatal(err)
		}
		newest := map[string]string{}
		for _, s := range w.github.Statuses() {
			if s.Commit == commit("2") {
				newest[s.Context] = s.State + ": " + s.Description
			}
		}
		return newest
	}
	const all, dev, prod = pulls.StatusContext, pulls.StatusContext + " (dev)", pulls.StatusContext + " (production)"
	got := set(pulls.Check{Text: "1 of 2 targets failed", Failed: true}, pulls.Check{Environment: "dev", Text: "no changes"}, pulls.Check{Environment: "production", Text: "1 of 1 target failed", Failed: true})
	if diff := cmp.Diff(map[string]string{all: "failure: 1 of 2 targets failed", dev: "success: no changes", prod: "failure: 1 of 1 target failed"}, got); diff != "" {
		t.Error(diff)
	}
	// The next run plans nothing in production.
	got = set(pulls.Check{Text: "1 to add"}, pulls.Check{Environment: "dev", Text: "1 to add"})
	if diff := cmp.Diff(map[string]string{all: "success: 1 to add", dev: "success: 1 to add", prod: "success: no plans"}, got); diff != "" {
		t.Error(diff)
	}
	// While a plan is superseded, the status keeps saying so.
	w.merge(one, "a")
	w.apply(mine)
	if _, _, err := w.job().TellSuperseded(t.Context(), w.applied(one, network)); err != nil {
		t.Fatal(err)
	}
	superseded := w.status(commit("2"))
	before := len(w.github.Statuses())
	got = set(pulls.Check{Text: "2 to add"}, pulls.Check{Environment: "dev", Text: "2 to add"})
	if diff := cmp.Diff(map[string]string{all: superseded, dev: "success: 2 to add", prod: "success: no plans"}, got); diff != "" {
		t.Error(diff)
	}
	if writes := len(w.github.Statuses()) - before; writes != 1 {
		t.Errorf("%d writes, want 1", writes)
	}
}
