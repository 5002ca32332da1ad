package repository

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// commitPair is two commits to compare.
type commitPair struct{ commit, other string }

// Behind reports whether commit is an ancestor of other. It asks the workspace's history first.
// If that is too short, it asks GitHub in one request. Each pair is looked up once.
//
// It returns false if neither knows: because the commit no longer exists, because there is no
// token, or because the token may not read contents.
func (rp *Repository) Behind(ctx context.Context, commit, other string) (bool, error) {
	if commit == other || !git.IsCommit(commit) || !git.IsCommit(other) {
		return false, nil
	}
	return rp.behind.Get(commitPair{commit, other}, func() (bool, error) {
		if behind, known, err := git.IsAncestor(ctx, rp.Context.Workspace, commit, other); known || err != nil {
			return behind, err
		}
		if rp.inputs.Token == "" {
			return false, nil
		}
		client, err := rp.GitHub()
		if err != nil {
			return false, err
		}
		behind, err := client.Behind(ctx, rp.Context.Repository, commit, other)
		if problem.CodeOf(err) == problem.GitHubPermission {
			return false, nil
		}
		return behind, err
	})
}
