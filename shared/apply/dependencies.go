package apply

import (
	"context"
	"strings"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/target"
)

// checkDependencies finds the dependencies that were applied after the plan was made: it
// may have read outputs that are other ones by now. Such a plan is made anew before it is
// applied, whatever the verification.
func (w *Work) checkDependencies(ctx context.Context) error {
	record := w.stored.Record
	var keys []planstore.Target
	for _, n := range w.Job.Target.DependsOn {
		keys = append(keys, planstore.Target{Repository: record.Repository, Component: n.Component, Stack: n.Stack})
	}
	if len(keys) == 0 {
		return nil
	}
	applies, err := w.store.LastApplies(ctx, keys)
	if err != nil {
		return err
	}
	for i, n := range w.Job.Target.DependsOn {
		if last, ok := applies[keys[i]]; ok && appliedSince(last, n, record) {
			w.moved = append(w.moved, n)
		}
	}
	return nil
}

// appliedSince reports whether the last apply of a dependency came after the plan. Where
// the record has the serial of the dependency's state as it was then, that decides: an
// apply of a plan that was made on the same serial or a later one has moved the state
// since. Else the times do.
func appliedSince(last planstore.LastApply, n target.Name, record planstore.Record) bool {
	for _, d := range record.Dependencies {
		if d.Component == n.Component && d.Stack == n.Stack && last.State != nil && last.State.Lineage == d.State.Lineage {
			return last.State.Serial >= d.State.Serial
		}
	}
	return !last.AppliedAt.Before(record.CreatedAt)
}

// list names targets.
func list(names []target.Name) string {
	var all []string
	for _, n := range names {
		all = append(all, n.String())
	}
	return strings.Join(all, ", ")
}
