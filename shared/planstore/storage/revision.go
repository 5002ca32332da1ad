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

// ErrConflict is returned by [PutRevision] when another run has written the item since it was
// read.
var ErrConflict = problem.With(problem.Conflict, errors.New("another run has changed it meanwhile: read it again"))

// PutRevision stores an item in the place of the one before it. Its attribute revision counts
// its writes, from 1; else than the revision before, or nothing before the first, is an
// [ErrConflict]. Its attribute token must be known to this call only: by it a write whose
// answer was lost is recognized, also when ctx ended just after it was done.
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
		return fmt.Errorf("%w (what became of it is not known: %w)", err, readErr)
	case len(stored) == 1 && stored[0]["token"] == item["token"]:
		return nil
	case refused != nil:
		return ErrConflict
	}
	return err
}

// readBackTimeout bounds a look at what became of a write whose answer was lost.
const readBackTimeout = 10 * time.Second

// ReadBack is the context in which to look at what became of a write. It has some seconds left,
// also when ctx has ended: that may be why the answer was lost.
func ReadBack(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), readBackTimeout)
}
