package pulls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// StatusContext is the context of the commit status that says on a pull request's head
// that its plans are out of date.
const StatusContext = "terraform-gitops/plan"

// Applied is what was applied, and by what.
type Applied struct {
	Targets []Target
	Commit  string // that was merged; of no use where each target names whose plan it was
	RunURL  string
}

// Target is a target that was applied, and the store with its plans.
type Target struct {
	planstore.Target
	Store       *planstore.Store
	PullRequest int // whose plan was applied; 0 when it was none's
	DriftIssue  int // that showed the plan which was applied; 0 when none did
}

// outdated is a plan that is out of date, and what was applied instead.
type outdated struct {
	planstore.PullRequestPlan
	by string
}

// by names whose plan was applied, that of a commit when nobody else's.
func (t Target) by(commit string) string {
	switch {
	case t.PullRequest > 0:
		return fmt.Sprintf("#%d", t.PullRequest)
	case t.DriftIssue > 0:
		return fmt.Sprintf("drift issue #%d", t.DriftIssue)
	}
	return fmt.Sprintf("commit %.7s", commit)
}

// reads is how many targets are looked at at once.
const reads = 16

// TellSuperseded tells the open pull requests whose newest plans of the targets have been
// superseded, by one failed commit status on each one's head. It returns the numbers of all of
// them, and of those that have the status now. [Requests.PlanAgain] has them planned again.
//
// It takes two queries and a read for each target, however many plans there are, one
// request to GitHub for each pull request or one for each 100 that are open, and one write for
// each pull request. It is github.ErrPermission when the token may not write statuses, which
// is then tried once.
func (r *Requests) TellSuperseded(ctx context.Context, a Applied) (superseded, told []int, err error) {
	found, err := r.superseded(ctx, a)
	if err != nil || len(found) == 0 {
		return nil, nil, err
	}
	client, err := r.client()
	if err != nil {
		return nil, nil, err
	}
	open, err := r.open(ctx, client, slices.Sorted(maps.Keys(found)))
	if err != nil {
		return nil, nil, err
	}
	for _, pr := range open {
		plans := slices.DeleteFunc(found[pr.Number], func(p outdated) bool { return p.Commit != pr.HeadSHA })
		if len(plans) == 0 {
			continue // it has moved on, and is planned for that
		}
		superseded = append(superseded, pr.Number)
		if errors.Is(err, github.ErrPermission) {
			continue
		}
		statusErr := client.SetStatus(ctx, r.repository, pr.HeadSHA, github.Status{Context: StatusContext, State: "failure", Description: reason(plans), URL: a.RunURL})
		err = errors.Join(err, statusErr)
		if statusErr == nil {
			told = append(told, pr.Number)
		}
	}
	return superseded, told, err
}

// superseded are the plans that are out of date, by pull request.
func (r *Requests) superseded(ctx context.Context, a Applied) (map[int][]outdated, error) {
	found := make([][]planstore.PullRequestPlan, len(a.Targets))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(reads)
	for i, t := range a.Targets {
		all.Go(func() (err error) {
			found[i], err = t.Store.PullRequestPlans(ctx, t.Target)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	superseded := map[int][]outdated{}
	for i, plans := range found {
		by := a.Targets[i].by(a.Commit)
		for _, p := range plans {
			if p.Superseded {
				superseded[p.PullRequest] = append(superseded[p.PullRequest], outdated{p, by})
			}
		}
	}
	return superseded, nil
}

// reason says which plans are out of date, and by what. GitHub cuts a status's text at 140
// characters and the number comes last: so long names are cut instead.
func reason(plans []outdated) string {
	slices.SortFunc(plans, func(a, b outdated) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
	})
	what, was := fmt.Sprintf("%.40s in %.40s", plans[0].Component, plans[0].Stack), "was"
	if more := len(plans) - 1; more > 0 {
		what, was = fmt.Sprintf("%s and %d more", what, more), "were"
	}
	return fmt.Sprintf("plan again: %s %s applied by %s", what, was, plans[0].by)
}

// ClearStatus ends the failed status of a commit of a pull request, when none of its
// plans of this commit is superseded any more: each was made anew. planned are the
// targets that were so just now, which the store's index may not know yet. It takes one
// request, and others only when there is such a status.
func (r *Requests) ClearStatus(ctx context.Context, stores func(context.Context) ([]*planstore.Store, error), number int, commit, runURL string, planned []planstore.Target) error {
	client, err := r.client()
	if err != nil {
		return err
	}
	status, ok, err := client.OurStatus(ctx, r.repository, commit, StatusContext)
	if err != nil || !ok || status.State != "failure" {
		return err
	}
	all, err := stores(ctx)
	if err != nil {
		return err
	}
	for _, store := range all {
		old, err := r.outOfDate(ctx, store, number, commit, planned)
		if err != nil || old {
			return err
		}
	}
	return client.SetStatus(ctx, r.repository, commit, github.Status{Context: StatusContext, State: "success", Description: "planned again", URL: runURL})
}

// outOfDate reports whether the newest plan of some target for a commit of a pull
// request is superseded.
func (r *Requests) outOfDate(ctx context.Context, store *planstore.Store, number int, commit string, planned []planstore.Target) (bool, error) {
	plans, err := store.PlansOfPullRequest(ctx, r.repository, number)
	if err != nil {
		return false, err
	}
	newest := map[planstore.Target]planstore.PlanSummary{}
	for _, p := range plans { // the newest first
		if _, seen := newest[p.Target]; !seen && p.Commit == commit && !slices.Contains(planned, p.Target) {
			newest[p.Target] = p
		}
	}
	last, err := store.LastApplies(ctx, slices.Collect(maps.Keys(newest)))
	if err != nil {
		return false, err
	}
	for t, p := range newest {
		if l, ok := last[t]; ok && p.SupersededBy(&l) {
			return true, nil
		}
	}
	return false, nil
}
