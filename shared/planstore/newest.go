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
	// MaxRetention is how long after it was made a plan can be applied at most.
	MaxRetention = 365 * 24 * time.Hour
)

// mostSpoiled bounds Stored.Spoiled.
const mostSpoiled = 10

// newestWhole is the newest record of a commit that is whole, and names what it stepped
// over.
func (s *Store) newestWhole(ctx context.Context, t Target, commit string) (newest Record, spoiled []string, err error) {
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
			return r, spoiled, nil
		}
		if !errors.Is(err, ErrAltered) {
			return Record{}, nil, err
		}
		if len(spoiled) == 0 {
			notFound = err
		}
		if len(spoiled) < mostSpoiled {
			spoiled = append(spoiled, shown(item.Key().Sort))
		}
	}
	return Record{}, nil, notFound
}

// checkTimes refuses a record from the future, and one that would never expire.
func (s *Store) checkTimes(r Record) error {
	switch {
	case r.CreatedAt.After(s.now().Add(ClockSkew)):
		return fmt.Errorf("%w (%s %s: it says that it was made at %s, which is yet to come)", ErrAltered, planPrefix+r.Key(), shown(r.ID()), r.CreatedAt.Format(time.DateTime))
	case r.ExpiresAt.After(r.CreatedAt.Add(MaxRetention + ClockSkew)):
		return fmt.Errorf("%w (%s %s: it expires at %s, later than any plan does)", ErrAltered, planPrefix+r.Key(), shown(r.ID()), r.ExpiresAt.Format(time.DateTime))
	}
	return nil
}
