package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// pullRef is the ref of a run that is of a pull request. The subject of its ID tokens is
// "pull_request", whichever one that is.
var pullRef = regexp.MustCompile(`^refs/pull/[0-9]+/(head|merge)$`)

// checkRef sees that code which is not merged runs only in a run whose own ref has it: a
// pull request's event, its branch, or a merge queue's branch. The run's ID tokens name its
// ref, and roles trust it. So on the default branch a pull request's Terraform code, or what
// its settings name, could assume every role that trusts the default branch.
//
// It decides by the ref, and not by the name of the event: dispatches, schedules, comments
// on issues, runs of other workflows and many more all happen to the default branch.
// https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
func (s *session) checkRef(ctx context.Context) error {
	if pullRef.MatchString(s.context.Ref) {
		return nil
	}
	if main := s.event.DefaultBranch; s.Drift && s.context.Ref != "refs/heads/"+main {
		return problem.With(problem.RunRef, fmt.Errorf("drift mode is for the default branch, but this run is on %s: what is not merged there would be reported as drift: run it on %s", s.ref(), orDefault(main)))
	}
	own := s.ownsRef()
	// A merged pull request's event is a run of the branch that it was merged into.
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

// ownsRef reports whether the run is of the pull request's own branch, or of the branch that
// a merge queue made for it.
func (s *session) ownsRef() bool {
	if group := s.event.MergeGroup; group != nil {
		return s.context.Ref == group.HeadRef
	}
	return s.pull.Number > 0 && s.context.Ref == "refs/heads/"+s.pull.Branch
}

// holdsOwnMerge reports whether the workspace holds the pull request's head, or GitHub's own
// merge of it into the default branch. On the default branch itself such a merge has code
// of another branch: whoever opens a pull request chooses what it is merged into.
func (s *session) holdsOwnMerge(checkout git.Head) bool {
	main := s.event.DefaultBranch
	if main == "" || s.pull.Branch == main {
		return false
	}
	return checkout.Commit == s.pull.Head || checkout.IsMergeOf(s.pull.Head) && s.pull.Into == main
}

// ref is the run's, for people.
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
