package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrConflict is returned by [PutRevision] if another run wrote the item since it was read.
var ErrConflict = problem.With(problem.Conflict, errors.New("another run changed it in between: read it again"))

// PutRevision replaces an item by its next revision. The attribute revision counts the writes,
// from 1. If the stored item does not have the revision before (none, for the first), the error
// is an [ErrConflict]. The attribute token must be known to this call only: if the answer is
// lost, also because ctx ended, the token tells whether the item was written.
func PutRevision(ctx context.Context, items Items, item Item) error {
	number, _ := item["revision"].(json.Number)
	revision, err := strconv.Atoi(number.String())
	if err != nil {
		return fmt.Errorf("an item without a revision: %w", err)
	}
	condition := Condition(Absent{})
	if revision > 1 {
		condition = Compare{"revision", Equals, Number(revision - 1)}
	}
	if err = items.Put(ctx, item, condition); err == nil {
		return nil
	}
	ctx, cancel := ReadBack(ctx)
	defer cancel()
	stored, readErr := items.Get(ctx, item.Key())
	refused, _ := errors.AsType[*ConditionError](err)
	switch {
	case readErr != nil:
		return fmt.Errorf("%w (and whether it was done is not known: %w)", err, readErr)
	case len(stored) == 1 && stored[0]["token"] == item["token"]:
		return nil
	case refused != nil:
		return ErrConflict
	}
	return err
}

// readBackTimeout limits a read of what happened to a write whose answer was lost.
const readBackTimeout = 10 * time.Second

// ReadBack returns a context in which to read what happened to a write. It has some seconds
// left even if ctx ended, which may be why the answer was lost.
func ReadBack(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), readBackTimeout)
}
