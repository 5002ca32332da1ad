package apply

import (
	"errors"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// destroys reports whether the chosen plan destroys everything in the state.
func (w *Work) destroys() bool { return w.stored.Record.Mode == string(planfile.ModeDestroy) }

// checkDestroy refuses a plan that destroys everything if the merged configuration does not ask for
// that, and every other plan if it does. No verification turns this off.
func (w *Work) checkDestroy() error {
	asked := w.Workspace.Target.Destroy
	var reason string
	switch {
	case w.stored.Record.Outcome != planstore.OutcomeChanges || w.destroys() == asked:
		return nil
	case asked:
		reason = "the merged configuration says `destroy: true`, and the plan does not destroy"
	default:
		reason = "the plan destroys everything in the state, and the merged configuration does not say `destroy: true`"
	}
	return w.Refuse(problem.With(problem.MovedConfiguration, errors.New(reason)), w.advice().destroy)
}
