package repository

import (
	"context"
	"time"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Left is a target that is no longer in Git. It may have left infrastructure behind.
type Left struct {
	inventory.Name
	// Unchecked says why the plan store could not be asked. It is nil if the store knows a state.
	Unchecked error
}

// Left returns the deleted targets among changes of which the plan store knows a state: the
// target was applied, or planned on an existing state. A target that never had a state has left
// nothing behind, and neither has one that was destroyed. Each target takes a read and, if it was never applied, two queries. If the
// store can't be asked, the target is returned with the reason.
func (rp *Repository) Left(ctx context.Context, changes []inventory.Change, role func(inventory.Effective) string, now func() time.Time) (left []Left) {
	for _, c := range changes {
		if !c.Deleted {
			continue
		}
		if known, err := rp.knowsState(ctx, c, role(rp.Effective(c.Settings)), now); known || err != nil {
			left = append(left, Left{c.Name, err})
		}
	}
	return left
}

func (rp *Repository) knowsState(ctx context.Context, c inventory.Change, role string, now func() time.Time) (bool, error) {
	store, err := rp.StoreOf(ctx, rp.Effective(c.Settings), role, now)
	if err != nil {
		return false, err
	}
	key := planstore.Target{Repository: rp.Context.Repository, Component: c.Component, Stack: c.Stack}
	last, err := store.LastApplies(ctx, []planstore.Target{key})
	if err != nil || len(last) > 0 {
		return err == nil && !last[key].Destroyed, err
	}
	plans, err := store.PullRequestPlans(ctx, key)
	for _, p := range plans {
		// The state of an encrypted planfile is unknown: assume that there is one.
		if p.Outcome != planstore.OutcomeFailed && (p.State == nil || p.State.Lineage != "") {
			return true, err
		}
	}
	return false, err
}
