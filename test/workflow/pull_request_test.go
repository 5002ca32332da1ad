package workflow

import (
	"fmt"
	"maps"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// pullRequest is one of the team's.
type pullRequest struct {
	number     int
	head, base string // commits
	merge      string // GitHub's merge of head and base, and later the merge on main
	queued     string // the merge queue's commit, if it has made one
	repository string // the repository of its branch
	labels     []string
	draft      bool
}

// open opens a pull request with an edit of files.
func (tm *team) open(branch, from, to string, files ...string) *pullRequest {
	tm.t.Helper()
	pr := &pullRequest{base: tm.git("rev-parse", "main"), repository: name}
	tm.git("checkout", "--quiet", "-b", branch, "main")
	for _, file := range files {
		tm.edit(file, from, to)
	}
	pr.head = tm.commit("Change the infrastructure")
	pr.number = tm.github.Repository(name).AddPullRequest(fakegithub.PullRequest{Head: branch, HeadSHA: pr.head, Base: "main", BaseSHA: pr.base})
	tm.trialMerge(pr)
	return pr
}

// trialMerge creates the merge commit that GitHub creates for an open pull request.
func (tm *team) trialMerge(pr *pullRequest) {
	tm.t.Helper()
	tm.git("checkout", "--quiet", "--detach", "main")
	tm.git("merge", "--quiet", "--no-ff", "--no-edit", pr.head)
	tm.git("push", "--quiet", "--force", "origin", fmt.Sprintf("HEAD:refs/pull/%d/merge", pr.number))
	pr.merge = tm.git("rev-parse", "HEAD")
}

// queue creates the merge queue's commit of a pull request, and returns that commit's branch.
func (tm *team) queue(pr *pullRequest) string {
	tm.t.Helper()
	branch := fmt.Sprintf("refs/heads/gh-readonly-queue/main/pr-%d-%s", pr.number, pr.base)
	tm.git("checkout", "--quiet", "--detach", "main")
	tm.git("merge", "--quiet", "--no-ff", "--message", fmt.Sprintf("Merge pull request #%d", pr.number), pr.head)
	tm.git("push", "--quiet", "origin", "HEAD:"+branch)
	pr.queued = tm.git("rev-parse", "HEAD")
	return branch
}

// merge merges a pull request into main, with the merge queue's commit if there is one.
func (tm *team) merge(pr *pullRequest) {
	tm.t.Helper()
	tm.git("checkout", "--quiet", "main")
	if pr.queued != "" {
		tm.git("merge", "--quiet", "--ff-only", pr.queued)
	} else {
		tm.git("merge", "--quiet", "--no-ff", "--no-edit", pr.head)
	}
	tm.git("push", "--quiet", "origin", "main")
	pr.merge = tm.git("rev-parse", "main")
	tm.github.Repository(name).Merge(pr.number, fakegithub.MergeCommit, pr.merge)
}

// edits adds what makes a payload one of this pull request.
func (pr *pullRequest) edits(edits map[string]any) map[string]any {
	labels := []any{}
	for _, l := range pr.labels {
		labels = append(labels, map[string]any{"name": l})
	}
	maps.Copy(edits, map[string]any{
		"pull_request.labels": labels, "pull_request.draft": pr.draft,
		"number": pr.number, "pull_request.number": pr.number, "pull_request.merge_commit_sha": pr.merge,
		"pull_request.head.sha": pr.head, "pull_request.head.repo.full_name": pr.repository,
		"pull_request.base.sha": pr.base, "pull_request.base.ref": "main", "pull_request.base.repo.full_name": name,
	})
	return edits
}
