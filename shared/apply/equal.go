package apply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// withEqual adds the plans before that say the same.
func (w *Work) withEqual(ctx context.Context, asked pulls.Asked, equal func(context.Context) ([]approvals.Plan, error)) (pulls.Asked, error) {
	if !w.rules.compared {
		plans, err := equal(ctx)
		if err != nil {
			return asked, err
		}
		w.rules.equal, w.rules.compared = plans, true
	}
	asked.Plans = append(slices.Clone(asked.Plans), w.rules.equal...)
	return asked, nil
}

// recordedEqualPlans returns the plans that the record calls equal. That is not proved.
func (w *Work) recordedEqualPlans(context.Context) (equal []approvals.Plan, err error) {
	for _, id := range w.stored.Record.EqualTo {
		commit, at, err := planstore.PlanOf(id)
		if err != nil {
			return nil, err
		}
		equal = append(equal, approvals.Plan{Commit: commit, At: at})
	}
	return equal, nil
}

// equalPlans returns those of the plans that the record calls equal that are: the record may be
// forged. Only plans of commits that somebody has approved are compared.
//
// A plan counts only if it is the newest one of its commit, or the ones after it say the same, too:
// whoever approved the commit was shown one of these.
func (w *Work) equalPlans(ctx context.Context) (equal []approvals.Plan, err error) {
	record := w.stored.Record
	if len(record.EqualTo) == 0 || w.waiting() || w.rules.pullRequest == 0 {
		return nil, nil
	}
	standing, _, err := w.options.Pulls.Approvals(ctx, w.rules.pullRequest)
	if err != nil {
		return nil, err
	}
	after := map[string]*planstore.Record{record.Commit: &record} // the plan after, by commit; nil: it says something else
	for _, id := range record.EqualTo {
		commit, _, err := planstore.PlanOf(id)
		if err != nil {
			return nil, err
		}
		next, seen := after[commit]
		if seen && next == nil || !slices.ContainsFunc(standing, func(a approvals.Approval) bool { return a.Commit == commit }) {
			continue
		}
		older, plan, err := w.compareOlder(ctx, id, commit, next)
		var differs *differsError
		switch {
		case errors.As(err, &differs):
			w.note(fmt.Sprintf("Approvals of the plan before, for commit %.7s, do not count: %s.", commit, differs.why))
			after[commit] = nil
		case err != nil:
			return nil, fmt.Errorf("compare the plan of %s with the one for commit %.7s: %w", w.Workspace.Target, commit, err)
		default:
			equal = append(equal, plan)
			after[commit] = &older
		}
	}
	return equal, nil
}

// differsError says why an older plan is not the same.
type differsError struct{ why string }

func (e *differsError) Error() string { return e.why }

// compareOlder compares an older plan with the reviewed one, which is applied or equals what is. The
// error is a *differsError if it says something else, or can't be read. next is the plan of the same
// commit that came after it, or nil.
func (w *Work) compareOlder(ctx context.Context, id, commit string, next *planstore.Record) (older planstore.Record, shown approvals.Plan, err error) {
	differs := func(format string, args ...any) (planstore.Record, approvals.Plan, error) {
		return planstore.Record{}, approvals.Plan{}, &differsError{fmt.Sprintf(format, args...)}
	}
	record := w.stored.Record
	if next != nil {
		older, err = w.store.Before(ctx, *next)
	} else {
		var found planstore.Stored
		found, err = w.store.Find(ctx, record.Target, commit)
		older = found.Record
	}
	switch {
	case errors.Is(err, planstore.ErrNotFound), errors.Is(err, planstore.ErrAltered):
		return differs("%s", problem.Text(err))
	case err != nil:
		return older, shown, err
	case older.ID() != id:
		return differs("another plan was made after it")
	}
	now, err := fingerprint.Of(ctx, w.Workspace.Target, record.TerraformName, record.TerraformVersion, fingerprint.Extra(older.Files)...)
	if err != nil {
		return older, shown, err
	}
	if why := plan.Differs(older, record, now); why != "" {
		return differs("%s", why)
	}
	reviewed, err := w.readReviewed(ctx)
	if err != nil {
		return older, shown, err
	}
	file := filepath.Join(w.Workspace.Dir, "older.tfplan")
	storedAt, err := w.store.Fetch(ctx, older, file)
	if errors.Is(err, planstore.ErrPlanfileGone) || errors.Is(err, planstore.ErrDigestMismatch) {
		return differs("%s", problem.Text(err))
	}
	if err != nil {
		return older, shown, err
	}
	defer func() { err = errors.Join(err, os.Remove(file)) }()
	if _, err := plan.Open(file); err != nil { // before Terraform reads it, as with the planfile to apply
		return differs("%s", problem.Text(err))
	}
	then, err := plan.Show(ctx, w.tf, file, detail())
	if err != nil {
		return older, shown, err
	}
	if then.Digest != reviewed.Digest {
		return differs("it would change something else")
	}
	return older, approvals.Plan{Commit: commit, At: w.shownAt(older.CreatedAt, storedAt)}, nil
}
