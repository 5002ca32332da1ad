package fakerunner

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// Words about what people do with a pull request, which becomes the event of the next steps.

// pull is a pull request in the story.
type pull struct {
	branch, into       string // branches
	base, head, merged string // commits
	closed             bool   // and not merged
	draft              bool
	labels             []string
	queued             *queued
}

func openPullRequest(ts *testscript.TestScript, s *story, args []string) {
	p := &pull{branch: args[1], into: "main"}
	if len(args) == 3 {
		p.into = args[2]
		s.git(ts, "branch", p.into, "main")
	}
	p.base = s.git(ts, "rev-parse", p.into)
	s.pulls[number(ts, args[0])] = p
	s.git(ts, "checkout", "--quiet", "-b", p.branch)
	p.head = s.commit(ts, p.branch)
	// GitHub numbers pull requests and issues together, from 1.
	newest := s.opened
	for _, issue := range s.github.Repository(repository).Issues() {
		newest = max(newest, issue.Number)
	}
	for newest+1 < number(ts, args[0]) {
		newest = s.github.Repository(repository).AddPullRequest(fakegithub.PullRequest{})
	}
	s.opened = s.github.Repository(repository).AddPullRequest(fakegithub.PullRequest{Author: mona, Title: p.branch, Head: p.branch, HeadSHA: p.head, Base: p.into, BaseSHA: p.base})
	if s.opened != number(ts, args[0]) {
		ts.Fatalf("GitHub would number this pull request %d", s.opened)
	}
	s.changedFiles(ts, s.opened)
	ts.Setenv("HEAD", p.head)
	ts.Setenv("BASE", p.base)
	s.pullRequestEvent(ts, number(ts, args[0]), "opened", mona)
}

func push(ts *testscript.TestScript, s *story, args []string) {
	p := s.pull(ts, args[0])
	s.git(ts, "checkout", "--quiet", p.branch)
	p.head = s.commit(ts, "More")
	s.github.Repository(repository).Push(number(ts, args[0]), p.head)
	s.changedFiles(ts, number(ts, args[0]))
	ts.Setenv("HEAD", p.head)
	s.pullRequestEvent(ts, number(ts, args[0]), "synchronize", mona)
}

func updatePull(ts *testscript.TestScript, s *story, args []string) {
	n, p := number(ts, args[0]), s.pull(ts, args[0])
	s.git(ts, "checkout", "--quiet", p.branch)
	s.git(ts, "merge", "--quiet", "--no-ff", "--no-edit", p.into)
	p.head, p.base = s.head(ts), s.git(ts, "rev-parse", p.into)
	s.github.Repository(repository).UpdateBranch(n, p.head, p.base)
	s.changedFiles(ts, n)
	ts.Setenv("HEAD", p.head)
	ts.Setenv("BASE", p.base)
	s.pullRequestEvent(ts, n, "synchronize", mona)
}

func merge(ts *testscript.TestScript, s *story, args []string) {
	p, how := s.pull(ts, args[0]), "merge"
	if len(args) == 2 {
		how = args[1]
	}
	switch how {
	case "merge":
		s.git(ts, "checkout", "--quiet", p.into)
		s.git(ts, "merge", "--quiet", "--no-ff", "--no-edit", p.branch)
	case "squash":
		s.git(ts, "checkout", "--quiet", p.into)
		s.git(ts, "merge", "--quiet", "--squash", p.branch)
		s.commit(ts, p.branch)
	case "rebase":
		// GitHub makes new commits, even if the base has not moved.
		s.git(ts, "checkout", "--quiet", "-b", p.branch+"-rebased", p.branch)
		s.git(ts, "rebase", "--quiet", "--force-rebase", p.into)
		s.git(ts, "checkout", "--quiet", p.into)
		s.git(ts, "merge", "--quiet", "--ff-only", p.branch+"-rebased")
	default:
		ts.Fatalf("merge: choose merge, squash or rebase")
	}
	p.merged = s.head(ts)
	ts.Setenv("MERGED", p.merged)
	s.github.Repository(repository).Merge(number(ts, args[0]), fakegithub.Method(how), p.merged)
	s.pullRequestEvent(ts, number(ts, args[0]), "closed", mona)
}

func closePull(ts *testscript.TestScript, s *story, args []string) {
	n, p := number(ts, args[0]), s.pull(ts, args[0])
	s.github.Repository(repository).CloseIssue(n, mona)
	p.closed = true
	s.pullRequestEvent(ts, n, "closed", mona)
}

func reopenPull(ts *testscript.TestScript, s *story, args []string) {
	n, p := number(ts, args[0]), s.pull(ts, args[0])
	s.github.Repository(repository).ReopenIssue(n, mona)
	p.closed = false
	s.pullRequestEvent(ts, n, "reopened", mona)
}

func labelPull(ts *testscript.TestScript, s *story, args []string) {
	n, actor := number(ts, args[0]), actorOf(args, 2)
	p := s.pull(ts, args[0])
	p.labels = append(p.labels, args[1])
	s.github.Repository(repository).Label(n, actor, args[1])
	s.pullRequestEvent(ts, n, "labeled", actor)
	s.editPayload(ts, map[string]any{"label.name": args[1]})
}

func unlabelPull(ts *testscript.TestScript, s *story, args []string) {
	n, p, actor := number(ts, args[0]), s.pull(ts, args[0]), actorOf(args, 2)
	s.github.Repository(repository).Unlabel(n, actor, args[1])
	p.labels = slices.DeleteFunc(p.labels, func(l string) bool { return l == args[1] })
	s.pullRequestEvent(ts, n, "unlabeled", actor)
	s.editPayload(ts, map[string]any{"label.name": args[1]})
}

func draftPull(ts *testscript.TestScript, s *story, args []string) {
	n, p, action := number(ts, args[0]), s.pull(ts, args[0]), "converted_to_draft"
	if p.draft = len(args) == 1; !p.draft {
		action = args[1]
	}
	s.github.Repository(repository).SetDraft(n, p.draft)
	s.pullRequestEvent(ts, n, action, mona)
}

func (s *story) pull(ts *testscript.TestScript, n string) *pull {
	p := s.pulls[number(ts, n)]
	if p == nil {
		ts.Fatalf("there is no pull request %s", n)
	}
	return p
}

// pullRequestEvent sets the event of the next steps to GitHub's event about a pull request, as it
// is now.
func (s *story) pullRequestEvent(ts *testscript.TestScript, n int, action, actor string) {
	p := s.pulls[n]
	s.event(ts, "pull_request")
	var err error
	if action == "labeled" || action == "unlabeled" { // the examples with a label
		s.runner.Payload, err = ActionPayload(s.Root, "pull_request", action)
		ts.Check(err)
	}
	s.runner.Actor = actor
	s.runner.SHA, s.runner.Ref = p.head, fmt.Sprintf("refs/pull/%d/merge", n)
	state := "open"
	if p.merged != "" {
		s.runner.SHA, s.runner.Ref = p.merged, "refs/heads/"+p.into
	}
	if p.merged != "" || p.closed {
		state = "closed"
	}
	labels := []any{}
	for _, l := range p.labels {
		labels = append(labels, map[string]any{"name": l})
	}
	s.editPayload(ts, map[string]any{
		"action": action, "number": n, "sender.login": actor, "pull_request.labels": labels, "pull_request.draft": p.draft,
		"pull_request.number": n, "pull_request.state": state, "pull_request.title": p.branch, "pull_request.user.login": mona,
		"pull_request.merged": p.merged != "", "pull_request.merge_commit_sha": p.merged,
		"pull_request.head.sha": p.head, "pull_request.head.ref": p.branch, "pull_request.head.repo.full_name": repository,
		"pull_request.base.sha": p.base, "pull_request.base.ref": p.into, "pull_request.base.repo.full_name": repository,
	})
}

// trialMerge is the ref of the merge that GitHub itself makes of a pull request, for its checks.
var trialMerge = regexp.MustCompile(`^refs/pull/([0-9]+)/merge$`)

// mergeTrial updates ref, if it is a pull request's trial merge, to a merge of the branch's head
// into its base, as they are now.
func (s *story) mergeTrial(ts *testscript.TestScript, ref string) {
	m := trialMerge.FindStringSubmatch(ref)
	if m == nil {
		return
	}
	p := s.pull(ts, m[1])
	base := s.git(ts, "rev-parse", p.into)
	tree := s.git(ts, "merge-tree", "--write-tree", base, p.head)
	s.git(ts, "update-ref", ref, s.git(ts, "commit-tree", tree, "-p", base, "-p", p.head, "-m", "Merge"))
}
