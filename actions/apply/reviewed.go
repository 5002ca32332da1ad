package main

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// reviewedIn returns the merged pull request in which a plan was reviewed, and 0 if there is none. The
// number in the record is not trusted: a planner could name one that others have approved.
//
// A plan of the merged commit itself may be of what others have merged before. So it is the pull
// request's only if that changes the target.
func (m *merge) reviewedIn(ctx context.Context, record planstore.Record, t inventory.Target) (int, error) {
	heads, err := m.mergedHeads(ctx)
	if err != nil {
		return 0, err
	}
	for _, h := range heads {
		switch record.Commit {
		case h.commit:
			return h.number, nil
		case h.merged:
			if changes, err := m.changesTarget(ctx, h, len(heads) > 1, t); err != nil || changes {
				return h.number, err
			}
		}
	}
	if record.PullRequest != 0 && record.Commit != m.commit {
		pr, err := m.pulls.Get(ctx, record.PullRequest)
		if err != nil {
			return 0, err
		}
		if !pr.Merged || pr.BaseRef != m.branch {
			return 0, nil
		}
		reads := pr.HeadSHA == record.Commit
		if pr.MergeCommitSHA == record.Commit && !reads {
			reads, err = m.readsFilesOf(ctx, record.PullRequest, t)
		}
		if err != nil || reads {
			return record.PullRequest, err
		}
	}
	return 0, nil
}

// changesTarget reports whether a merged pull request changes a target. several says that there are
// others in the same push: then the commit before the push doesn't tell.
func (m *merge) changesTarget(ctx context.Context, h head, several bool, t inventory.Target) (affected bool, err error) {
	base := m.base()
	switch {
	case base == "":
		return true, nil
	case several && h.merged == m.commit && len(m.checkout.Parents) > 0:
		affected, err = m.repository.IsAffected(ctx, m.checkout.Parents[0], t)
	default:
		affected, err = m.affects(ctx, base, t)
	}
	if err != nil || affected {
		return affected, err
	}
	// After a rebase merge of several commits, the commit before is one of them.
	return m.readsFilesOf(ctx, h.number, t)
}

// readsFilesOf reports whether a target reads a file that a pull request changes.
func (m *merge) readsFilesOf(ctx context.Context, number int, t inventory.Target) (bool, error) {
	files, err := m.pulls.Files(ctx, number)
	if err != nil || len(files) == 0 {
		return false, err
	}
	return m.repository.Reads(ctx, t, files)
}
