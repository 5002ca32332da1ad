package main

import (
	"context"
	"errors"

	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// readLink reads what links a target with its issue; the zero link when nothing does.
func readLink(ctx context.Context, store *planstore.Store, target planstore.Target) (drift.Link, error) {
	links, err := drift.In(store).Links(ctx, []planstore.Target{target})
	if err != nil {
		return drift.Link{}, err
	}
	link := links[target]
	link.Target = target
	return link, nil
}

// maxConflicts is how often a link is read again that another run keeps writing.
const maxConflicts = 5

// writeLink has change write into the link, as long as it is that of this issue and
// change wants to. It is false when it was not written.
func writeLink(ctx context.Context, store *planstore.Store, link drift.Link, change func(*drift.Link) bool) (bool, error) {
	number := link.Number
	for range maxConflicts {
		changed := link
		if link.Number != number || number == 0 || !change(&changed) {
			return false, nil
		}
		_, err := drift.In(store).PutLink(ctx, changed)
		if !errors.Is(err, storage.ErrConflict) {
			return err == nil, err
		}
		if link, err = readLink(ctx, store, link.Target); err != nil {
			return false, err
		}
	}
	return false, storage.ErrConflict
}

// forget makes a link that of no issue, with nothing discarded.
func forget(link *drift.Link) bool {
	*link = drift.Link{Target: link.Target, Revision: link.Revision}
	return true
}
