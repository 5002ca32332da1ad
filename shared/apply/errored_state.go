package apply

import (
	"context"
	"fmt"
	"os"

	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// rescueState stores the state that Terraform could not write, before the runner is deleted. path is
// empty if there is none. If the state can't be stored, or belongs to another target, the file stays
// and the error says so.
func (w *Work) rescueState(ctx context.Context, path string) error {
	if path == "" {
		return nil
	}
	if mine, found := w.lineage(), terraform.StateLineage(path); mine != "" && found != "" && mine != found {
		return problem.With(problem.ErroredState, fmt.Errorf("the errored state of %s was not stored: the state in %s on this runner belongs to another target (its lineage is %s, and the plan's is %s): "+
			"save it before the runner is gone, and find out what overwrote the state of this target", w.Workspace.Target, path, found, mine))
	}
	ctx, cancel := context.WithTimeout(ctx, rescueTimeout)
	defer cancel()
	location, err := w.store.PutErroredState(ctx, w.stored.Record, w.Workspace.Run(), path)
	if err != nil {
		return problem.With(problem.ErroredState, fmt.Errorf("%w: Terraform could not write it to its backend, and it is in %s on this runner: save it before the runner is gone", err, path))
	}
	w.outcome.RescuedState = &RescuedState{
		StoredAt: location,
		Commands: w.Workspace.Target.PushCommands(location, w.stored.Record.TerraformName),
	}
	return os.Remove(path)
}

// lineage returns the lineage of the state that the applied plan was made on. It is empty if there
// was no state, or if the planfile can't be read.
func (w *Work) lineage() string {
	inside, err := plan.Open(w.planfile) // the applied planfile: the reviewed one, or a new one
	if err != nil || inside == nil {
		return ""
	}
	return inside.Lineage
}
