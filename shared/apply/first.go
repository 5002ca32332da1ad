package apply

import (
	"context"
	"errors"

	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// waiting reports whether the chosen record has no plan yet, since its target could only be planned
// after a dependency is applied.
func (w *Work) waiting() bool { return w.stored.Record.Outcome == planstore.OutcomeWaiting }

func (w *Work) refuseWaiting(why string) error {
	return w.Refuse(problem.With(problem.Waiting, errors.New(why)), PlanMerged)
}

// planFirst plans a target that had to wait for a dependency, and makes that plan the one to apply.
// It reports whether there is nothing to apply.
//
// Nobody has reviewed this plan. So it may only create resources, and only on a new state. Any
// other plan is refused: the target has to be planned and reviewed.
func (w *Work) planFirst(ctx context.Context) (nothing bool, err error) {
	switch {
	case w.anew != "":
		return false, w.refuseWaiting("it could not be planned with the pull request, and " + w.anew)
	case w.stored.Last != nil:
		return false, w.refuseWaiting("it could not be planned with the pull request, and it was applied before: its state is not new")
	}
	made, err := w.plan(ctx, "first", false, true)
	if err != nil {
		return false, err
	}
	if made.empty() {
		return true, nil
	}
	if made.file == nil {
		return false, w.refuseWaiting("it was planned for the first time just now, but the planfile is encrypted, so it is not known whether its state is new")
	}
	other := made.changes.Counts
	other.Create, other.Outputs = 0, 0
	switch {
	case made.file.Lineage != "": // it was applied without these actions
		w.outcome.Now = made.changes
		return false, w.refuseWaiting("it was planned for the first time just now, on a state that is not new: nobody has reviewed that plan")
	case other.Any() || !made.changes.Complete:
		w.outcome.Now = made.changes
		return false, w.refuseWaiting("it was planned for the first time just now, and would do more than create resources: nobody has reviewed that plan")
	}
	w.planfile, w.inside, w.newOn = made.Planfile, made.file, plan.MadeOn(made.file)
	w.outcome.Planned = made.changes.Counts
	w.outcome.Verified = "Not reviewed: this target could only be planned after its dependencies were applied. The plan only creates resources, on a new state (verification: replan)."
	return false, nil
}
