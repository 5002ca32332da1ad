package apply

import (
	"context"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/pulls"
)

// checkLock refuses a plan of anybody but the pull request that holds the target's lock.
func (w *Work) checkLock(ctx context.Context) error {
	lock := w.stored.Lock
	if lock == nil || lock.PullRequest == w.stored.Record.PullRequest {
		return nil
	}
	over, err := w.options.Pulls.Over(ctx, *lock, w.stored.Last)
	if err != nil {
		return err
	}
	if over {
		return nil
	}
	return w.Refuse(
		fmt.Errorf("pull request #%d holds the lock of this target since %s", lock.PullRequest, lock.Since.UTC().Format("2006-01-02 15:04 UTC")),
		fmt.Sprintf("Merge and apply #%d first, or close it, or give it the label %s. Then plan again.", lock.PullRequest, pulls.UnlockLabel))
}
