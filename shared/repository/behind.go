package repository

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// commitPair are two commits to compare.
type commitPair struct{ commit, other string }

// Behind reports whether a commit comes before another one in the repository's history:
// whether it is one of its ancestors. The workspace tells, or, where its history is too
// short, GitHub in one request; each pair is asked for once.
//
// What neither can tell is false: of a commit that is no more, say, without a token, or
// with one that may not read contents.
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
