package planstore

import (
	"context"
	"fmt"
	"time"
)

// LastApply is the newest apply of a target.
type LastApply struct {
	RecordID      string
	Commit        string // that was planned
	MergedCommit  string // that it was applied for; empty when unknown
	PullRequest   int    // 0 when there was none
	PlanCreatedAt time.Time
	Run           Run
	AppliedAt     time.Time
	State         *StatePosition // that the applied plan was made on; nil when unknown
	After         *StatePosition // that the apply left; nil when unknown
	Destroyed     bool           // it destroyed everything in the state
}

// LastApplies returns the last applies of targets, by target as given. A target that was never
// applied is missing in it. It costs one strongly consistent request for each hundred targets.
func (s *Store) LastApplies(ctx context.Context, targets []Target) (map[Target]LastApply, error) {
	applies, err := s.lastApplies(ctx, targets)
	if err != nil {
		return nil, fmt.Errorf("read the last applies: %w", err)
	}
	return applies, nil
}

func (s *Store) lastApplies(ctx context.Context, targets []Target) (map[Target]LastApply, error) {
	read, err := ReadEach(ctx, s.items, applyPrefix, lastKey, targets)
	if err != nil {
		return nil, err
	}
	applies := make(map[Target]LastApply, len(read))
	for t, item := range read {
		last, err := openLastApply(item)
		if err != nil {
			return nil, err
		}
		applies[t] = *last
	}
	return applies, nil
}
