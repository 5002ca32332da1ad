package apply

import (
	"context"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// checkLock refuses the plan if another pull request holds the target's lock. It accepts a plan of
// the commit as which the holder was merged, even if that plan was made without a pull request.
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

// lockEnded reports whether another pull request's lock no longer prevents the apply.
func (w *Work) lockEnded(ctx context.Context, lock planstore.Lock) (bool, error) {
	over, err := w.options.Pulls.Over(ctx, lock, w.stored.Last)
	if err != nil || over {
		return over, err
	}
	holder, err := w.options.Pulls.Get(ctx, lock.PullRequest)
	return holder.Merged && holder.MergeCommitSHA == w.stored.Record.Commit, err
}
