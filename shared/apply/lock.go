package apply

import (
	"context"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// checkLock refuses a plan of anybody but the pull request that holds the target's lock. A
// plan of the commit that this one was merged as is its own, whoever had it made.
func (w *Work) checkLock(ctx context.Context) error {
	lock := w.stored.Lock
	if lock == nil || lock.PullRequest == w.stored.Record.PullRequest {
		return nil
	}
	ended, err := w.lockEnded(ctx, *lock)
	switch {
	case err != nil && ctx.Err() == nil:
		return w.Refuse(err, "Nothing is applied until that is known: run this job again.")
	case err != nil || ended:
		return err
	}
	return w.Refuse(
		problem.With(problem.Locked, fmt.Errorf("pull request #%d holds the lock of this target since %s", lock.PullRequest, lock.Since.UTC().Format("2006-01-02 15:04 UTC"))),
		fmt.Sprintf("Merge and apply #%d first, or close it, or add the label %s to it. Then plan again.", lock.PullRequest, pulls.UnlockLabel))
}

// lockEnded reports whether the lock of another pull request no longer stands against the plan.
func (w *Work) lockEnded(ctx context.Context, lock planstore.Lock) (bool, error) {
	over, err := w.options.Pulls.Over(ctx, lock, w.stored.Last)
	if err != nil || over {
		return over, err
	}
	holder, err := w.options.Pulls.Get(ctx, lock.PullRequest)
	return holder.Merged && holder.MergeCommitSHA == w.stored.Record.Commit, err
}
