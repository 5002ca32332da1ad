package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// lock takes the target's lock for the pull request, if the workflow asks for it. If another pull
// request holds the lock, that is no error: the plan is made, but can't be applied.
func (p *planner) lock(ctx context.Context) (err error) {
	if !p.o.Lock || p.o.Pull.Number == 0 {
		return nil
	}
	// A re-run carries the old event. Ask GitHub, or a closed pull request takes a lock
	// that nobody releases.
	pr, err := p.o.Pulls.Get(ctx, p.o.Pull.Number)
	if err != nil {
		return fmt.Errorf("check whether pull request #%d, which needs the lock of %s, is open: %w", p.o.Pull.Number, p.Record.Target, err)
	}
	if pr.State != "open" {
		p.note("Pull request #%d is already %s, so it takes no lock.", p.o.Pull.Number, pulls.State(pr))
		return nil
	}
	lock, held, err := p.o.Pulls.Lock(ctx, p.store, planstore.Lock{
		Target: p.Record.Target, PullRequest: p.o.Pull.Number, Branch: p.o.Pull.Branch, Actor: p.workspace.Context.Actor, Run: p.Record.Run,
	})
	if err != nil {
		return err
	}
	p.locked = &lock
	if held {
		p.LockedBy = &lock
	}
	return nil
}

// keepLock notes that the pull request holds the lock from now on. If the plan has no changes,
// there is nothing to protect, and keepLock releases the lock.
func (p *planner) keepLock(ctx context.Context) error {
	if p.locked == nil || p.LockedBy != nil {
		return nil
	}
	if p.Record.Outcome != planstore.OutcomeNoChanges {
		p.note("This pull request holds the lock of this target until it is applied or closed, even if this plan expires.")
		return nil
	}
	err := p.store.ReleaseLock(ctx, *p.locked)
	if errors.Is(err, storage.ErrConflict) {
		return nil // it is somebody else's, or over, already
	}
	return err
}
