package main

import (
	"context"
	"errors"

	"github.com/terraform-gitops/gitops/shared/planstore"
)

// readLink reads what links a target with its issue; the zero link when nothing does.
func readLink(ctx context.Context, store *planstore.Store, target planstore.Target) (planstore.DriftIssue, error) {
	links, err := store.DriftIssues(ctx, []planstore.Target{target})
	if err != nil {
		return planstore.DriftIssue{}, err
	}
	link := links[target]
	link.Target = target
	return link, nil
}

// maxConflicts is how often a link is read again that another run keeps writing.
const maxConflicts = 5

// writeLink has change write into the link, as long as it is that of this issue and
// change wants to. It is false when it was not written.
func writeLink(ctx context.Context, store *planstore.Store, link planstore.DriftIssue, change func(*planstore.DriftIssue) bool) (bool, error) {
	number := link.Number
	for range maxConflicts {
		changed := link
		if link.Number != number || number == 0 || !change(&changed) {
			return false, nil
		}
		_, err := store.PutDriftIssue(ctx, changed)
		if !errors.Is(err, planstore.ErrConflict) {
			return err == nil, err
		}
		if link, err = readLink(ctx, store, link.Target); err != nil {
			return false, err
		}
	}
	return false, planstore.ErrConflict
}

// forget makes a link that of no issue, with nothing discarded.
func forget(link *planstore.DriftIssue) bool {
	*link = planstore.DriftIssue{Target: link.Target, Revision: link.Revision}
	return true
}
