package apply

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// waiting reports whether the plan that was taken is none yet: its target could only be
// planned once a dependency was applied.
func (w *Work) waiting() bool { return w.stored.Record.Outcome == planstore.OutcomeWaiting }

func (w *Work) refuseWaiting(why string) error {
	return w.Refuse(problem.With(problem.Waiting, errors.New(why)), PlanMerged)
}

// planFirst plans a target that had to wait for a dependency, and has that plan applied. It
// reports whether there is nothing to apply.
//
// Nobody has reviewed this plan. So it may only create, on a state that is new: whatever else
// it would do is refused, and has to be planned and reviewed.
func (w *Work) planFirst(ctx context.Context) (nothing bool, err error) {
	switch {
	case w.anew != "":
		return false, w.refuseWaiting("it could not be planned with the pull request, and " + w.anew)
	case w.stored.Last != nil:
		return false, w.refuseWaiting("it could not be planned with the pull request, and it was applied before: its state is not new")
	}
	if w.cli.Atmos == nil { // whose plan begins with an init
		if err := w.Job.Init(ctx, w.cli, nil); err != nil {
			return false, fmt.Errorf("plan %s: %w", w.Job.Target, err)
		}
	}
	fresh := filepath.Join(w.Job.Dir, "first.tfplan")
	made, err := w.Job.Plan(ctx, w.cli, terraform.PlanOptions{Out: fresh})
	if err != nil {
		return false, fmt.Errorf("plan %s: %w", w.Job.Target, err)
	}
	plan, err := w.read(ctx, fresh)
	if err != nil {
		return false, fmt.Errorf("read the plan of %s: %w", w.Job.Target, err)
	}
	if !made.HasChanges && !plan.Counts.Any() {
		return true, nil
	}
	file, err := planfile.Open(fresh)
	if errors.Is(err, planfile.ErrEncrypted) {
		return false, w.refuseWaiting("it was planned for the first time just now, and the planfile is encrypted: whether its state is new can't be seen")
	}
	if err != nil {
		return false, fmt.Errorf("read the plan of %s: %w", w.Job.Target, err)
	}
	other := plan.Counts
	other.Create, other.Outputs = 0, 0
	switch {
	case file.Lineage != "": // applied by other means
		w.view.Now = plan
		return false, w.refuseWaiting("it was planned for the first time just now, on a state that is not new: nobody has reviewed that plan")
	case other.Any() || !plan.Complete:
		w.view.Now = plan
		return false, w.refuseWaiting("it was planned for the first time just now, and would do more than create: nobody has reviewed that plan")
	}
	w.planfile, w.inside, w.newOn = fresh, file, &planstore.StatePosition{Lineage: file.Lineage, Serial: file.Serial}
	w.view.Planned = plan.Counts
	w.view.Verification = "Not reviewed: this target could only be planned after its dependencies were applied. The plan only creates, on a new state (verification: replan)."
	return false, nil
}
