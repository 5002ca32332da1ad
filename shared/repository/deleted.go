package repository

import (
	"context"
	"time"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Left is a target that is no longer in Git, and may have left infrastructure behind.
type Left struct {
	inventory.Name
	// Unchecked says why the plan store could not be asked; nil when it knows of a state.
	Unchecked error
}

// Left are those of the deleted targets among changes that the plan store knows a state of:
// one that was applied, or planned on a state. A name that never was more than a name has
// left nothing behind. Each takes a read and, where it was never applied, two queries.
// Where the store can't be asked, the target is listed with the reason.
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
		return err == nil, err
	}
	plans, err := store.PullRequestPlans(ctx, key)
	for _, p := range plans {
		// An encrypted planfile does not tell: then there may be one.
		if p.Outcome != planstore.OutcomeFailed && (p.State == nil || p.State.Lineage != "") {
			return true, err
		}
	}
	return false, err
}
