package repository

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/git"
)

// maxPushed is how many commits of one push are looked at.
const maxPushed = 50

// Pushed are the commits that a push added to a branch, the newest first: of merges those
// on the branch itself, and not what they brought. They are at most 50, and fewer where the
// workspace's history is too short; the newest is always among them.
func (rp *Repository) Pushed(ctx context.Context, before, after string) []string {
	commits, err := git.FirstParents(ctx, rp.Context.Workspace, before, after, maxPushed)
	if err == nil && len(commits) > 0 {
		return commits
	}
	return []string{after}
}
