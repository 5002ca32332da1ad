package planstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Lock says which pull request holds a target, so that plans of other pull requests wait. A
// lock never ends by itself. Whoever reads it decides whether it still counts, with what GitHub
// says of the pull request and with [Lock.AppliedBy].
type Lock struct {
	Target
	PullRequest int
	Branch      string
	Actor       string
	Run         Run       // that took it
	Since       time.Time // set by TakeLock when it is zero
	Released    time.Time // zero while it is held

	// Revision counts the item's writes. 0: it is not stored.
	Revision int
}

// AppliedBy reports whether the target's last apply (nil: none) is of the lock's pull request,
// and ended after the lock was taken. If that pull request is merged, its lock no longer counts
// then.
func (l Lock) AppliedBy(last *LastApply) bool {
	return last != nil && last.PullRequest == l.PullRequest && last.AppliedAt.After(l.Since)
}

// ReadLocks returns the locks of targets, by target as given, released ones too. A target that
// was never locked is missing in it. It costs one strongly consistent request for each hundred
// targets.
func (s *Store) ReadLocks(ctx context.Context, targets []Target) (map[Target]Lock, error) {
	locks, err := s.readLocks(ctx, targets, true)
	if err != nil {
		return nil, fmt.Errorf("read the locks: %w", err)
	}
	return locks, nil
}

// readLocks fails on a damaged lock if strict, and leaves it out otherwise.
func (s *Store) readLocks(ctx context.Context, targets []Target, strict bool) (map[Target]Lock, error) {
	read, err := ReadEach(ctx, s.items, lockPrefix, lockKey, targets)
	if err != nil {
		return nil, err
	}
	locks := make(map[Target]Lock, len(read))
	for t, item := range read {
		l, err := openLock(item, t)
		if err != nil && strict {
			return nil, err
		}
		if err == nil {
			locks[t] = l
		}
	}
	return locks, nil
}

// LocksOfPullRequest returns the locks that a pull request holds, by component and stack.
//
// In DynamoDB the index by-pull-request finds them. It may be some moments behind, so a lock
// that was taken just now may be missing. Those that it finds are read again: a released one is
// never returned.
func (s *Store) LocksOfPullRequest(ctx context.Context, repository string, number int) ([]Lock, error) {
	locks, err := s.locksOfPullRequest(ctx, Target{Repository: repository}, number)
	if err != nil {
		return nil, fmt.Errorf("find the locks of pull request %d of %s: %w", number, printable(repository), err)
	}
	return locks, nil
}

func (s *Store) locksOfPullRequest(ctx context.Context, of Target, number int) (held []Lock, err error) {
	items, err := s.ofPullRequest(ctx, lockPrefix, of, number)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	var targets []Target
	for _, item := range items {
		if item.target().Check() == nil { // else it is damaged
			targets = append(targets, item.target())
		}
	}
	locks, err := s.readLocks(ctx, targets, false)
	if err != nil {
		return nil, err
	}
	for _, l := range locks {
		if l.PullRequest == number && l.Released.IsZero() {
			held = append(held, l)
		}
	}
	slices.SortFunc(held, func(a, b Lock) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
	})
	return held, nil
}

// TakeLock replaces the lock that was read (the zero Lock: none) by another one, and returns it
// as [Store.ReadLocks] will. If another lock is stored by now, the error is a
// [storage.ErrConflict]: of several calls over the same lock, one wins. The caller decides
// whether the lock that was read may be replaced.
//
// A write whose answer was lost is recognized: see [storage.PutRevision].
func (s *Store) TakeLock(ctx context.Context, l, over Lock) (Lock, error) {
	taken, err := s.takeLock(ctx, l, over)
	if err != nil {
		return Lock{}, fmt.Errorf("lock %s for pull request %d: %w", l.Target, l.PullRequest, err)
	}
	return taken, nil
}

func (s *Store) takeLock(ctx context.Context, l, over Lock) (Lock, error) {
	if over.Revision != 0 && over.Key() != l.Key() {
		return Lock{}, fmt.Errorf("the lock of %s is another target's", over.Target)
	}
	if l.Since.IsZero() {
		l.Since = s.now()
	}
	l.Released, l.Revision = time.Time{}, over.Revision+1
	return s.putLock(ctx, l)
}

// ReleaseLock releases a lock that was read. If another lock is stored by now, the error is a
// [storage.ErrConflict]. Releasing a lock that was read as released does nothing.
func (s *Store) ReleaseLock(ctx context.Context, held Lock) error {
	if !held.Released.IsZero() {
		return nil
	}
	held.Released = s.now()
	held.Revision++
	if _, err := s.putLock(ctx, held); err != nil {
		return fmt.Errorf("release %s from pull request %d: %w", held.Target, held.PullRequest, err)
	}
	return nil
}

func (s *Store) putLock(ctx context.Context, l Lock) (Lock, error) {
	if err := l.Check(); err != nil {
		return Lock{}, err
	}
	item, err := storage.Encode(newLockItem(l, rand.Text()))
	if err != nil {
		return Lock{}, err
	}
	mine, err := openLock(item, l.Target)
	if err != nil {
		return Lock{}, err
	}
	return mine, storage.PutRevision(ctx, s.items, item)
}

// Check refuses a lock that can't be stored.
func (l Lock) Check() error {
	if err := cmp.Or(l.Target.Check(), l.Run.Check()); err != nil {
		return err
	}
	switch {
	case l.PullRequest < 1:
		return errors.New("only a pull request can hold a lock")
	case l.Revision < 1:
		return fmt.Errorf("a lock of revision %d can't be stored", l.Revision)
	case len(l.Branch) > maxName || len(l.Actor) > maxName:
		return fmt.Errorf("the branch and the actor of a lock have %d and %d bytes, and at most %d can be stored", len(l.Branch), len(l.Actor), maxName)
	case l.Since.IsZero():
		return errors.New("a lock needs the time since when it is held")
	}
	return nil
}
