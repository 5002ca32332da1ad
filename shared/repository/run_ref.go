package repository

import (
	"context"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// HoldsRunsCode reports whether the workspace's commit is the run's own (GITHUB_SHA) or one of
// its ancestors. GitHub's ID token names the run's ref, and AWS roles trust that ref. Code of
// another commit must not run with that identity.
//
// It asks the workspace's history first. If that is too short, it asks GitHub in one request. If
// neither knows, it returns false. It returns an error if the workspace has no commit.
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
