package repository

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/git"
)

// maxPushed is the number of commits of one push that are considered.
const maxPushed = 50

// Pushed returns the commits that a push added to a branch, the newest first. A merge counts as
// one commit: only first parents are followed. It returns at most 50 commits, and fewer if the
// workspace's history is too short, but always the newest one.
func (rp *Repository) Pushed(ctx context.Context, before, after string) []string {
	commits, err := git.FirstParents(ctx, rp.Context.Workspace, before, after, maxPushed)
	if err == nil && len(commits) > 0 {
		return commits
	}
	return []string{after}
}
