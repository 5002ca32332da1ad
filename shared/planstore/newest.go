package planstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// clockSkew is how far the clock of a runner that plans may be ahead.
	clockSkew = time.Minute
	// MaxRetention is how long after it was made a plan can be applied at most.
	MaxRetention = 365 * 24 * time.Hour
)

// mostSpoiled bounds Stored.Spoiled.
const mostSpoiled = 10

// newestWhole is the newest record of a commit that is whole, and names what it stepped
// over.
func (s *Store) newestWhole(ctx context.Context, t Target, commit string) (newest Record, spoiled []string, err error) {
	found := false
	var first, failed error
	end := commit + "#" + formatTime(s.now().Add(clockSkew))
	err = s.items.eachRecord(ctx, t, commit, end, func(sk string, r Record, err error) bool {
		if err == nil {
			err = s.checkTimes(r)
		}
		switch {
		case err == nil:
			newest, found = r, true
			return true
		case !errors.Is(err, ErrAltered):
			failed = err
			return true
		}
		if first == nil {
			first = err
		}
		if len(spoiled) < mostSpoiled {
			spoiled = append(spoiled, shown(sk))
		}
		return false
	})
	switch {
	case err != nil:
		return Record{}, nil, err
	case failed != nil:
		return Record{}, nil, failed
	case found:
		return newest, spoiled, nil
	case first != nil:
		return Record{}, nil, first
	}
	return Record{}, nil, ErrNotFound
}

// checkTimes refuses a record from the future, and one that would never expire.
func (s *Store) checkTimes(r Record) error {
	switch {
	case r.CreatedAt.After(s.now().Add(clockSkew)):
		return fmt.Errorf("%w (%s %s: it says that it was made at %s, which is yet to come)", ErrAltered, planPrefix+r.key(), shown(r.ID()), r.CreatedAt.Format(time.DateTime))
	case r.ExpiresAt.After(r.CreatedAt.Add(MaxRetention + clockSkew)):
		return fmt.Errorf("%w (%s %s: it expires at %s, later than any plan does)", ErrAltered, planPrefix+r.key(), shown(r.ID()), r.ExpiresAt.Format(time.DateTime))
	}
	return nil
}
