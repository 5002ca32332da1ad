package planstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

const (
	// ClockSkew is how far the clock of a runner that plans may be ahead.
	ClockSkew = time.Minute
	// MaxRetention is how long a plan can be applied at most, after it was made.
	MaxRetention = 365 * 24 * time.Hour
)

// mostDamaged limits Stored.Damaged.
const mostDamaged = 10

// newest returns the newest record of a commit that can be read, and the sort keys of those
// that it skipped.
func (s *Store) newest(ctx context.Context, t Target, commit string) (newest Record, damaged []string, err error) {
	q := storage.Query{
		Partition: planPrefix + t.Key(), From: commit + "#", To: commit + "#" + storage.FormatTime(s.now().Add(ClockSkew)),
		Descending: true, Expected: 1,
	}
	notFound := ErrNotFound
	for item, err := range s.items.Query(ctx, q) {
		if err != nil {
			return Record{}, nil, err
		}
		r, err := openRecord(item)
		err = cmp.Or(err, s.checkTimes(r))
		if err == nil {
			return r, damaged, nil
		}
		if !errors.Is(err, ErrAltered) {
			return Record{}, nil, err
		}
		if len(damaged) == 0 {
			notFound = err
		}
		if len(damaged) < mostDamaged {
			damaged = append(damaged, printable(item.Key().Sort))
		}
	}
	return Record{}, nil, notFound
}

// Before returns the newest plan record of the same target and commit that is older than this one,
// and can be read. The error is an [ErrNotFound] if there is none. It costs one Query.
func (s *Store) Before(ctx context.Context, r Record) (Record, error) {
	q := storage.Query{Partition: planPrefix + r.Key(), From: r.Commit + "#", To: r.ID(), Descending: true, Expected: 2}
	if err := r.Check(); err != nil {
		return Record{}, err
	}
	for item, err := range s.items.Query(ctx, q) {
		if err != nil {
			return Record{}, fmt.Errorf("find the plan of %s before that of %s: %w", r.Target, r.CreatedAt.Format(time.DateTime), err)
		}
		if item.Key().Sort == r.ID() {
			continue
		}
		older, err := openRecord(item)
		if err = cmp.Or(err, s.checkTimes(older)); err == nil {
			return older, nil
		}
		if !errors.Is(err, ErrAltered) {
			return Record{}, err
		}
	}
	return Record{}, ErrNotFound
}

// checkTimes refuses a record from the future, and one that would never expire.
func (s *Store) checkTimes(r Record) error {
	switch {
	case r.CreatedAt.After(s.now().Add(ClockSkew)):
		return fmt.Errorf("%w (%s %s: its creation time %s is in the future)", ErrAltered, planPrefix+r.Key(), printable(r.ID()), r.CreatedAt.Format(time.DateTime))
	case r.ExpiresAt.After(r.CreatedAt.Add(MaxRetention + ClockSkew)):
		return fmt.Errorf("%w (%s %s: it expires at %s, later than any plan does)", ErrAltered, planPrefix+r.Key(), printable(r.ID()), r.ExpiresAt.Format(time.DateTime))
	}
	return nil
}
