package main

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/planstore"
)

// reviewedIn returns the merged pull request in which a plan was reviewed, and 0 if there is none. The
// number in the record is not trusted: a planner could name one that others have approved.
func (m *merge) reviewedIn(ctx context.Context, record planstore.Record) (int, error) {
	heads, err := m.mergedHeads(ctx)
	if err != nil {
		return 0, err
	}
	for _, h := range heads {
		if record.Commit == h.commit || record.Commit == h.merged {
			return h.number, nil
		}
	}
	if record.PullRequest != 0 && record.Commit != m.commit {
		pr, err := m.pulls.Get(ctx, record.PullRequest)
		if err != nil {
			return 0, err
		}
		if pr.Merged && pr.BaseRef == m.branch && (pr.HeadSHA == record.Commit || pr.MergeCommitSHA == record.Commit) {
			return record.PullRequest, nil
		}
	}
	return 0, nil
}
