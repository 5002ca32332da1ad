package planstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// DriftIssue links a target with the issue about its drift, and holds what the
// issue showed last.
type DriftIssue struct {
	Target
	Number int // 0: being created, by Creator

	// What the issue's body showed last.
	Outcome              DriftOutcome // empty before it showed any
	RecordID, PlanDigest string       // of the drift plan to apply; empty when there was none
	Changes              string       // see [DriftResult.Changes]
	Base                 string       // see [DriftResult.Base]
	ExpiresAt            time.Time    // of that plan
	ShownAt              time.Time    // when the plan that it shows last changed
	Shown                string       // hex SHA-256 of our section of the body

	Since time.Time // when this drift was first seen

	// The changes that a person discarded, and when; empty when nobody did.
	Discarded   string
	DiscardedAt time.Time

	// The run that is creating the issue, and since when.
	Creator       string
	CreatingSince time.Time

	// Revision counts the item's writes. 0: it is not stored.
	Revision int
}

// heldIssue is a drift issue with the token of the call that wrote it.
type heldIssue struct {
	DriftIssue
	token string
}

// DriftIssues returns what is stored of the targets' drift issues, by target as
// given; of a target without one there is nothing. A hundred targets take one
// request.
func (s *Store) DriftIssues(ctx context.Context, targets []Target) (map[Target]DriftIssue, error) {
	issues, err := s.driftIssues(ctx, targets)
	if err != nil {
		return nil, fmt.Errorf("read the links to the drift issues: %w", err)
	}
	return issues, nil
}

func (s *Store) driftIssues(ctx context.Context, targets []Target) (map[Target]DriftIssue, error) {
	pks, named, err := partitions(issuePrefix, targets)
	if err != nil {
		return nil, err
	}
	items, err := s.items.driftIssues(ctx, pks)
	if err != nil {
		return nil, err
	}
	issues := make(map[Target]DriftIssue, len(items))
	for _, item := range items {
		held, err := item.issue()
		if err != nil {
			return nil, problem.With(problem.Storage, fmt.Errorf("the link %s is damaged: %w: delete it, and it is made anew from the issue", shown(item.PK), err))
		}
		for _, t := range named[item.PK] {
			held.Target = t
			issues[t] = held.DriftIssue
		}
	}
	return issues, nil
}

// PutDriftIssue stores a drift issue if the stored one still has its Revision (0:
// if none is stored), and returns it as [Store.DriftIssues] will, with the next
// one. Else the error is an [ErrConflict]: of several calls with the same
// revision one wins.
//
// A write whose answer was lost is recognized by a token that only this call
// knows; so nil is returned also when ctx ended just after it was done.
func (s *Store) PutDriftIssue(ctx context.Context, i DriftIssue) (DriftIssue, error) {
	stored, err := s.putDriftIssue(ctx, i)
	if err != nil {
		return DriftIssue{}, fmt.Errorf("store the link of %s to its drift issue: %w", i.Target, err)
	}
	return stored, nil
}

func (s *Store) putDriftIssue(ctx context.Context, i DriftIssue) (DriftIssue, error) {
	if err := i.check(); err != nil {
		return DriftIssue{}, err
	}
	i.Revision++
	item := newIssueItem(heldIssue{i, rand.Text()})
	mine, err := item.issue()
	if err != nil {
		return DriftIssue{}, err
	}
	err = writeRevision(ctx,
		func(ctx context.Context) error { return s.items.putDriftIssue(ctx, item) },
		func(ctx context.Context) (bool, error) {
			stored, err := s.items.driftIssues(ctx, []string{item.PK})
			return len(stored) == 1 && stored[0].Token == item.Token, err
		})
	if err != nil {
		return DriftIssue{}, err
	}
	return mine.DriftIssue, nil
}

// maxCreator bounds DriftIssue.Creator, in bytes.
const maxCreator = 200

func (i DriftIssue) check() error {
	if err := cmp.Or(i.Target.check(), checkPlan(i.RecordID, i.PlanDigest),
		checkDigest("changes", i.Changes), checkDigest("discarded changes", i.Discarded),
		checkDigest("base", i.Base), checkDigest("shown section", i.Shown)); err != nil {
		return err
	}
	switch {
	case i.Number < 0 || i.Revision < 0:
		return fmt.Errorf("issue %d of revision %d can't be", i.Number, i.Revision)
	case i.Outcome != "" && !i.Outcome.known():
		return fmt.Errorf("unknown outcome of a drift plan %.80q", i.Outcome)
	case len(i.Creator) > maxCreator:
		return fmt.Errorf("the run that creates the issue has a name of %d bytes, and at most %d can be stored", len(i.Creator), maxCreator)
	}
	return nil
}
