package apply

import (
	"context"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// checkDependencies finds the dependencies that were applied after the plan was made: it
// may have read outputs that are other ones by now. Such a plan is made anew before it is
// applied, whatever the verification.
func (w *Work) checkDependencies(ctx context.Context) error {
	record := w.stored.Record
	var keys []planstore.Target
	for _, n := range w.Workspace.Target.DependsOn {
		keys = append(keys, planstore.Target{Repository: record.Repository, Component: n.Component, Stack: n.Stack})
	}
	if len(keys) == 0 {
		return nil
	}
	applies, err := w.store.LastApplies(ctx, keys)
	if err != nil {
		return err
	}
	for i, n := range w.Workspace.Target.DependsOn {
		if last, ok := applies[keys[i]]; ok && appliedSince(last, n, record) {
			w.moved = append(w.moved, n)
		}
	}
	return nil
}

// appliedSince reports whether the last apply of a dependency may have come after the plan
// read its outputs. It has when it ended after the planning began, or when its plan was
// made on the serial that the record has of the dependency's state, or a later one: the
// clocks of two runners may differ. That serial is of the dependency's own plan, which may
// have read the state later than this one did, so it alone never says that all is well.
func appliedSince(last planstore.LastApply, n inventory.Name, record planstore.Record) bool {
	if !last.AppliedAt.Before(record.CreatedAt) {
		return true
	}
	for _, d := range record.Dependencies {
		if d.Component == n.Component && d.Stack == n.Stack && last.State != nil && last.State.Lineage == d.State.Lineage {
			return last.State.Serial >= d.State.Serial
		}
	}
	return false
}

// list names targets.
func list(names []inventory.Name) string {
	var all []string
	for _, n := range names {
		all = append(all, n.String())
	}
	return strings.Join(all, ", ")
}
