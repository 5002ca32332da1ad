package planstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrConflict is returned by [Store.PutDriftIssue], [Store.TakeLock] and
// [Store.ReleaseLock] when another run has written the item since it was read.
var ErrConflict = problem.With(problem.Conflict, errors.New("another run has changed it meanwhile: read it again"))

// writeRevision puts an item in the place of the revision before it, and asks
// whether it is there when the answer was lost, also when ctx ended just after
// it was written.
func writeRevision(ctx context.Context, put func(context.Context) error, stored func(context.Context) (bool, error)) error {
	err := put(ctx)
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackTimeout)
	defer cancel()
	mine, readErr := stored(ctx)
	switch {
	case readErr != nil:
		return fmt.Errorf("%w (what became of it is not known: %w)", err, readErr)
	case mine:
		return nil
	case errors.Is(err, errCondition):
		return ErrConflict
	}
	return err
}
