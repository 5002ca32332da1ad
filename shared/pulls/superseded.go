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

// Applied describes what an apply has applied.
type Applied struct {
	Targets []Target
	Commit  string // the merged commit; used for targets without a pull request or drift issue
	RunURL  string
}

// Target is a target that was applied, and the store with its plans.
type Target struct {
	planstore.Target
	Store       *planstore.Store
	PullRequest int // the pull request whose plan was applied; 0: none
	DriftIssue  int // the drift issue whose plan was applied; 0: none
}

// supersededPlan is a plan that was superseded, and what was applied instead.
type supersededPlan struct {
	planstore.PullRequestPlan
	by string
}

// by says whose plan was applied: a pull request's, a drift issue's, or a commit's.
func (t Target) by(commit string) string {
	switch {
	case t.PullRequest > 0:
		return fmt.Sprintf("#%d", t.PullRequest)
	case t.DriftIssue > 0:
		return fmt.Sprintf("drift issue #%d", t.DriftIssue)
	}
	return fmt.Sprintf("commit %.7s", commit)
}

// reads is how many targets are read at once.
const reads = 16

// TellSuperseded notifies the open pull requests whose newest plans of the targets were
// superseded: each gets one failed commit status on its head. It returns the numbers of all of
// them, and of those that have the status now. [Requests.PlanAgain] can plan them again.
//
// It costs two queries and a read for each target, however many plans there are; one request to
// GitHub for each pull request, or one for each 100 open ones; and one write for each pull
// request. If the token may not write statuses, it tries once, and the error is
// github.ErrPermission.
func (r *Requests) TellSuperseded(ctx context.Context, a Applied) (superseded, told []int, err error) {
	client, open, found, err := r.openSuperseded(ctx, a)
	for _, pr := range open {
		plans := found[pr.Number]
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

// Superseded returns the numbers of the pull requests that TellSuperseded would notify.
func (r *Requests) Superseded(ctx context.Context, a Applied) (numbers []int, err error) {
	_, open, _, err := r.openSuperseded(ctx, a)
	for _, pr := range open {
		numbers = append(numbers, pr.Number)
	}
	return numbers, err
}

// openSuperseded returns the open pull requests with superseded plans of their heads, and these plans.
func (r *Requests) openSuperseded(ctx context.Context, a Applied) (client *github.Client, open []github.PullRequest, found map[int][]supersededPlan, err error) {
	if found, err = r.supersededPlans(ctx, a); err != nil || len(found) == 0 {
		return nil, nil, nil, err
	}
	if client, err = r.client(); err != nil {
		return nil, nil, nil, err
	}
	if open, err = r.open(ctx, client, slices.Sorted(maps.Keys(found))); err != nil {
		return nil, nil, nil, err
	}
	return client, slices.DeleteFunc(open, func(pr github.PullRequest) bool {
		found[pr.Number] = slices.DeleteFunc(found[pr.Number], func(p supersededPlan) bool { return p.Commit != pr.HeadSHA })
		return len(found[pr.Number]) == 0 // it has newer commits, which are planned by themselves
	}), found, nil
}

// supersededPlans returns the superseded plans, by pull request.
func (r *Requests) supersededPlans(ctx context.Context, a Applied) (map[int][]supersededPlan, error) {
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
	superseded := map[int][]supersededPlan{}
	for i, plans := range found {
		by := a.Targets[i].by(a.Commit)
		for _, p := range plans {
			if p.Superseded {
				superseded[p.PullRequest] = append(superseded[p.PullRequest], supersededPlan{p, by})
			}
		}
	}
	return superseded, nil
}

// reason says which plans are superseded, and by what. GitHub cuts a status after 140
// characters, and the number comes last: so long names are cut.
func reason(plans []supersededPlan) string {
	slices.SortFunc(plans, func(a, b supersededPlan) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
	})
	what, was := fmt.Sprintf("%.40s in %.40s", plans[0].Component, plans[0].Stack), "was"
	if more := len(plans) - 1; more > 0 {
		what, was = fmt.Sprintf("%s and %d more", what, more), "were"
	}
	return fmt.Sprintf("plan again: %s %s applied by %s", what, was, plans[0].by)
}

// hasSuperseded reports whether the newest plan of any target for a commit of a pull request is
// superseded.
func (r *Requests) hasSuperseded(ctx context.Context, store *planstore.Store, number int, commit string, planned []planstore.Target) (bool, error) {
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
