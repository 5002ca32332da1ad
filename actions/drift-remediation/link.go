package main

import (
	"context"
	"errors"

	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// readLink reads the link between a target and its issue. It is the zero link if there is none.
func readLink(ctx context.Context, store *planstore.Store, target planstore.Target) (drift.Link, error) {
	links, err := drift.In(store).Links(ctx, []planstore.Target{target})
	if err != nil {
		return drift.Link{}, err
	}
	link := links[target]
	link.Target = target
	return link, nil
}

// maxConflicts is the number of tries to write a link that other runs keep changing.
const maxConflicts = 5

// writeLink changes a link and stores it, as long as it still names the same issue and change returns
// true. It returns false if the link was not written.
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

// forget removes the issue and the discarded drift from a link.
func forget(link *drift.Link) bool {
	*link = drift.Link{Target: link.Target, Revision: link.Revision}
	return true
}
