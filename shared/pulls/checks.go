package pulls

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// StatusContext is the context of the commit status that says what all plans of a pull request's
// head would do, or that an apply has superseded some of them. The plans of one environment have
// a status with its name: see [contextOf].
const StatusContext = "terraform-gitops/plan"

// noPlans is what the check of an environment says that has no plan any more.
const noPlans = "no plans"

// contextOf is the context of the status for the plans of an environment.
func contextOf(environment string) string { return StatusContext + " (" + environment + ")" }

// Check says what the plans of an environment would do.
type Check struct {
	Environment string // empty: all plans together
	Failed      bool
	Text        string // one line, which is cut after 140 characters
}

// Planned is what a run has planned for a commit of a pull request.
type Planned struct {
	PullRequest int
	Commit      string
	RunURL      string
	// Targets are those whose plans were stored just now: the store's index may not have them yet.
	Targets []planstore.Target
	// Checks are for the plans of all the pull request's targets, with one for all plans together.
	// There are none if the run planned only some of the targets.
	Checks []Check
}

// SetChecks sets the statuses of a commit. It doesn't replace a failed status about superseded
// plans, as long as one of the commit's newest plans is superseded. Without checks it only ends
// such a status once all is planned again.
//
// It costs one read, and one write for each check and for each environment that had a check and has
// no plan any more; and more reads of the store only if a status has failed. If the token may not
// write statuses, it tries once, and the error is github.ErrPermission.
func (r *Requests) SetChecks(ctx context.Context, stores func(context.Context) ([]*planstore.Store, error), p Planned) error {
	client, err := r.client()
	if err != nil {
		return err
	}
	before, err := client.Statuses(ctx, r.repository, p.Commit, StatusContext)
	if err != nil {
		return err
	}
	failed := false
	set := map[string]github.Status{}
	for _, s := range before {
		switch {
		case strings.EqualFold(s.Context, StatusContext):
			failed = s.State == "failure"
		case s.Description == noPlans:
		case len(p.Checks) > 0 && strings.HasPrefix(s.Context, StatusContext+" ("):
			set[s.Context] = github.Status{State: "success", Description: noPlans}
		}
	}
	for _, c := range p.Checks {
		status, name := github.Status{State: "success", Description: c.Text}, StatusContext
		if c.Failed {
			status.State = "failure"
		}
		if c.Environment != "" {
			name = contextOf(c.Environment)
		}
		set[name] = status
	}
	if failed {
		superseded, err := r.anySuperseded(ctx, stores, p)
		if err != nil {
			return err
		}
		if superseded {
			delete(set, StatusContext)
		} else if len(p.Checks) == 0 {
			set[StatusContext] = github.Status{State: "success", Description: "planned again"}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		status := set[name]
		status.Context, status.URL = name, p.RunURL
		if err := client.SetStatus(ctx, r.repository, p.Commit, status); err != nil {
			return err
		}
	}
	return nil
}

// anySuperseded reports whether a newest plan of the commit is superseded, in any store.
func (r *Requests) anySuperseded(ctx context.Context, stores func(context.Context) ([]*planstore.Store, error), p Planned) (bool, error) {
	all, err := stores(ctx)
	if err != nil {
		return false, err
	}
	for _, store := range all {
		if old, err := r.hasSuperseded(ctx, store, p.PullRequest, p.Commit, p.Targets); err != nil || old {
			return old, err
		}
	}
	return false, nil
}
