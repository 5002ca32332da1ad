package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// checkState refuses a plan of a target that was applied before if the plan was made on no state, or
// on another one than that apply's. Such a plan doesn't know what is running, and would create it
// again. at is nil if the position is unknown; noResources says that the state was empty.
func (w *Work) checkState(at *planstore.StatePosition, noResources bool) error {
	last := w.stored.Last
	continuity := planstore.ContinuityOf(last, at)
	if continuity == planstore.StateUnknown && noResources {
		continuity = planstore.StateGone
	}
	if !continuity.Lost() {
		return nil
	}
	reason := fmt.Errorf("the plan was made on an empty state, and this target was applied before, by %s: it would create again what already exists", last.Run.URL)
	if continuity == planstore.OtherState {
		reason = fmt.Errorf("the plan was made on another state: its lineage is %s, but this target was applied last, by %s, to lineage %s: what exists is not in that state", at.Lineage, last.Run.URL, last.Lineage())
	}
	if w.options.AcceptNewState {
		note := "accept-new-state: " + reason.Error() + "."
		if !slices.Contains(w.outcome.Notes, note) {
			w.note(note)
		}
		return nil
	}
	return w.Refuse(problem.With(problem.NewState, reason), w.advice().newState)
}

// lookAfter notes the lineage that an apply on a new state gave it. An error is only a warning: the
// apply is done, but the next plan's state can't be compared with this one. After a cancel there
// is no time for it.
func (w *Work) lookAfter(ctx context.Context) {
	if w.inside != nil && w.inside.Lineage != "" || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	lineage, serial, err := w.tf.StatePosition(ctx)
	switch {
	case err != nil:
		w.options.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("%s was applied, but the lineage of its state could not be read, so the state of the next plan is not compared with it: %v", w.Workspace.Target, err)})
	case lineage != "":
		w.after = &planstore.StatePosition{Lineage: lineage, Serial: serial}
	}
}
