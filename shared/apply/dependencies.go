package apply

import (
	"context"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// checkDependencies finds the dependencies that were applied after the plan was made. The plan may
// have read outputs that have changed since. Apply then plans again, whatever the verification.
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

// appliedSince reports whether the last apply of a dependency may have come after the plan read its
// outputs. That is so if the apply ended after the planning began. Since the clocks of two runners
// may differ, it is also so if the apply's plan was made on the recorded serial of the dependency's
// state or on a later one. That serial alone never proves the opposite: the dependency's own plan
// recorded it, perhaps after this plan had read the state.
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
