package fakerunner

import (
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// Words about a merge queue. For each pull request, it makes a commit on top of main and of the
// pull requests before it. When the checks of that commit have passed, it moves main there.
// https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue

// queued is a pull request's commit in the queue, and the commit on which it was made.
type queued struct {
	commit, base, branch string
	ahead                []int // the pull requests before it, the first in the queue first
}

func queueUp(ts *testscript.TestScript, s *story, args []string) {
	n := number(ts, args[0])
	var ahead []int
	on := s.git(ts, "rev-parse", "main")
	for _, arg := range slices.Concat(args[1:], args[:1]) {
		p := s.pull(ts, arg)
		if p.queued == nil || p.queued.base != on {
			s.enqueue(ts, number(ts, arg), p, on, ahead)
		}
		on = p.queued.commit
		ahead = append(ahead, number(ts, arg))
	}
	q := s.pulls[n].queued
	s.git(ts, "checkout", "--quiet", "--detach", q.commit)
	ts.Setenv("QUEUED", q.commit)
	s.event(ts, "merge_group")
	s.runner.SHA, s.runner.Ref = q.commit, q.branch
	s.editPayload(ts, map[string]any{
		"merge_group.head_sha": q.commit, "merge_group.head_ref": q.branch,
		"merge_group.base_sha": q.base, "merge_group.base_ref": "refs/heads/main",
		"merge_group.head_commit.id": q.commit,
	})
}

func (s *story) enqueue(ts *testscript.TestScript, n int, p *pull, on string, ahead []int) {
	s.git(ts, "checkout", "--quiet", "--detach", on)
	s.git(ts, "merge", "--quiet", "--no-ff", "--message", fmt.Sprintf("Merge pull request #%d", n), p.head)
	p.queued = &queued{
		commit: s.head(ts), base: on, ahead: slices.Clone(ahead),
		branch: fmt.Sprintf("refs/heads/gh-readonly-queue/main/pr-%d-%s", n, on),
	}
	s.git(ts, "update-ref", p.queued.branch, p.queued.commit)
}

func mergeQueued(ts *testscript.TestScript, s *story, args []string) {
	n, p := number(ts, args[0]), s.pull(ts, args[0])
	if p.queued == nil {
		ts.Fatalf("pull request %d is not in the queue", n)
	}
	if p.merged == "" {
		s.git(ts, "checkout", "--quiet", "main")
		s.git(ts, "merge", "--quiet", "--ff-only", p.queued.commit)
		for _, n := range slices.Concat(p.queued.ahead, []int{n}) {
			if p := s.pulls[n]; p.merged == "" {
				p.merged = p.queued.commit
				s.github.Repository(repository).Merge(n, fakegithub.MergeCommit, p.merged)
				s.git(ts, "update-ref", "-d", p.queued.branch)
			}
		}
	}
	ts.Setenv("MERGED", p.merged)
	s.pullRequestEvent(ts, n, "closed", mona)
}
