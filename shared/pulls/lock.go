package pulls

import (
	"context"
	"errors"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// UnlockLabel is the label that ends the locks of a pull request.
const UnlockLabel = "terraform-unlock"

// maxTakes is how often a lock is read again after somebody else wrote it.
const maxTakes = 5

// Lock takes a target's lock for a pull request. If another pull request holds it, that lock is
// returned, and held is true. If this pull request holds it already, it stays as it is. A lock
// that no longer counts is replaced: see [Requests.Over].
func (r *Requests) Lock(ctx context.Context, store *planstore.Store, wanted planstore.Lock) (lock planstore.Lock, held bool, err error) {
	for range maxTakes {
		locks, err := store.ReadLocks(ctx, []planstore.Target{wanted.Target})
		if err != nil {
			return lock, false, err
		}
		lock = locks[wanted.Target]
		if lock.Revision > 0 && lock.Released.IsZero() {
			if lock.PullRequest == wanted.PullRequest {
				return lock, false, nil
			}
			last, err := store.LastApplies(ctx, []planstore.Target{wanted.Target})
			if err != nil {
				return lock, false, err
			}
			var applied *planstore.LastApply
			if l, ok := last[wanted.Target]; ok {
				applied = &l
			}
			if over, err := r.Over(ctx, lock, applied); err != nil || !over {
				return lock, err == nil, err
			}
		}
		taken, err := store.TakeLock(ctx, wanted, lock)
		if !errors.Is(err, storage.ErrConflict) {
			return taken, false, err
		}
	}
	return lock, false, fmt.Errorf("lock %s for pull request #%d: other runs changed the lock %d times meanwhile: run this job again", wanted.Target, wanted.PullRequest, maxTakes)
}

// Over reports whether a lock no longer counts: it was released, or its pull request was closed
// without a merge, or was merged and applied. last is the target's last apply, or nil.
//
// A lock of a merged pull request also ends if the last apply is another one's, of a plan that
// was made after the lock was taken: while a lock counts, no other plan is applied.
func (r *Requests) Over(ctx context.Context, l planstore.Lock, last *planstore.LastApply) (bool, error) {
	if !l.Released.IsZero() {
		return true, nil
	}
	pr, err := r.Get(ctx, l.PullRequest)
	if err != nil {
		return false, fmt.Errorf("ask whether pull request #%d, which holds the lock of %s, is open: %w", l.PullRequest, l.Target, err)
	}
	if pr.State == "open" {
		return false, nil
	}
	return !pr.Merged || l.AppliedBy(last) || last != nil && last.PlanCreatedAt.After(l.Since), nil
}

// Release ends all locks that a pull request holds in a store, and returns them.
func Release(ctx context.Context, store *planstore.Store, repository string, number int) (released []planstore.Lock, err error) {
	locks, err := store.LocksOfPullRequest(ctx, repository, number)
	if err != nil {
		return nil, err
	}
	for _, l := range locks {
		releaseErr := store.ReleaseLock(ctx, l)
		if errors.Is(releaseErr, storage.ErrConflict) {
			continue // another run has released it, or taken it over
		}
		if releaseErr != nil {
			err = errors.Join(err, releaseErr)
			continue
		}
		released = append(released, l)
	}
	return released, err
}
