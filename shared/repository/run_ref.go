package repository

import (
	"context"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// HoldsRunsCode reports whether all that the workspace's commit holds is part of what the
// run is of: whether it is the run's own commit (GITHUB_SHA), or one of its ancestors.
// GitHub says in the run's ID tokens which ref that commit is on, and roles trust it for
// that: another commit's code would run with an identity that is not its own.
//
// The workspace's history tells, or, where it is too short, GitHub in one request. What
// neither can tell is false. The error is that of a workspace without a commit.
// https://docs.github.com/actions/reference/security/oidc
func (rp *Repository) HoldsRunsCode(ctx context.Context) (bool, error) {
	checkout, err := rp.Checkout(ctx)
	if err != nil {
		return false, err
	}
	if checkout.Commit == rp.Context.SHA {
		return true, nil
	}
	behind, err := rp.Behind(ctx, checkout.Commit, rp.Context.SHA)
	if err != nil && ctx.Err() == nil {
		return false, problem.With(problem.RunRef, fmt.Errorf("ask whether %s, which the workspace holds, is part of %s at %s: %w", git.Short(checkout.Commit), rp.Context.Ref, git.Short(rp.Context.SHA), err))
	}
	return behind, err
}
