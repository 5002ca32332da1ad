package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// pullRef matches the ref of a pull request's run. The subject of its ID tokens is "pull_request",
// for every pull request.
var pullRef = regexp.MustCompile(`^refs/pull/[0-9]+/(head|merge)$`)

// checkRef makes sure that code which is not merged runs only in a run whose own ref contains it:
// on a pull_request event, on the pull request's branch, or on a merge queue's branch. The run's
// ID tokens name its ref, and AWS roles trust the ref. On the default branch, a pull request's
// Terraform code or settings could assume every role that trusts the default branch.
//
// It looks at the ref and not at the event's name, since many events run on the default branch:
// dispatches, schedules, comments on issues, other workflows' ends and more.
// https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
func (s *session) checkRef(ctx context.Context) error {
	if pullRef.MatchString(s.context.Ref) {
		return nil
	}
	if main := s.event.DefaultBranch; s.Drift && s.context.Ref != "refs/heads/"+main {
		return problem.With(problem.RunRef, fmt.Errorf("drift mode is for the default branch, but this run is on %s: what is not merged there would be reported as drift: run it on %s", s.ref(), orDefault(main)))
	}
	own := s.ownsRef()
	// The event of a merged pull request runs on the branch that it was merged into.
	merged := s.event.PullRequest != nil && s.event.PullRequest.Merged
	if s.pull.Number > 0 && !own && !merged && !s.Unlock {
		return problem.With(problem.RunRef, fmt.Errorf("pull request #%d is planned only by a run of its own, but this run is on %s: code that is not merged would run with the identity of that ref, and could assume every role that trusts it: push to the pull request, run its newest `pull_request` run again, or start this workflow on its branch %q", s.pull.Number, s.ref(), s.pull.Branch))
	}
	holds, err := s.repository.HoldsRunsCode(ctx)
	if err != nil || holds {
		return err
	}
	checkout, err := s.repository.Checkout(ctx)
	if err != nil {
		return err
	}
	if own && s.holdsOwnMerge(checkout) {
		return nil
	}
	return problem.With(problem.RunRef, fmt.Errorf("the workspace has commit %s checked out, but nothing shows that it is a part of %s, the ref of this run (at %s): code that is not merged there would run with the identity of that ref, and could assume every role that trusts it: check out that ref's own commit (`actions/checkout` without `ref`); plan a pull request on its `pull_request` event, or start this workflow on its branch. If the history is too short to tell, check out with `fetch-depth: 0`, or give the job `permissions: contents: read`", git.Short(checkout.Commit), s.ref(), git.Short(s.context.SHA)))
}

// ownsRef reports whether the run's ref is the pull request's own branch, or the branch that a merge
// queue made for it.
func (s *session) ownsRef() bool {
	if group := s.event.MergeGroup; group != nil {
		return s.context.Ref == group.HeadRef
	}
	return s.pull.Number > 0 && s.context.Ref == "refs/heads/"+s.pull.Branch
}

// holdsOwnMerge reports whether the workspace holds the pull request's head, or GitHub's merge of it
// into the default branch. A merge into another branch contains that branch's code, too, and whoever
// opens a pull request can choose any base branch.
func (s *session) holdsOwnMerge(checkout git.Head) bool {
	main := s.event.DefaultBranch
	if main == "" || s.pull.Branch == main {
		return false
	}
	return checkout.Commit == s.pull.Head || checkout.IsMergeOf(s.pull.Head) && s.pull.Into == main
}

// ref returns the run's ref for messages.
func (s *session) ref() string {
	if s.context.Ref == "" {
		return "an unknown ref"
	}
	return s.context.Ref
}

func orDefault(branch string) string {
	if branch == "" {
		return "a schedule"
	}
	return branch
}
