package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// session is what is the same for all targets of a run.
type session struct {
	Inputs
	action.Deps
	event      gha.Event
	context    gha.Context
	repository *repository.Repository
	checkout   git.Head
	commit     string
	pull       plan.PullRequest // the zero value: none
	author     string           // of the pull request; empty if the event does not say
	title      string
	draft      bool     // the pull request is one
	labels     []string // of the pull request; in a merge queue not known, and none
	pulls      *pulls.Requests
}

// begin makes all checks that need no target.
func begin(ctx context.Context, in Inputs, d action.Deps) (*session, error) {
	event, err := d.Runtime.Event()
	if err != nil {
		return nil, err
	}
	s := &session{Inputs: in, Deps: d, event: event, context: d.Runtime.Context()}
	if s.context.EventName == "pull_request_target" {
		return nil, problem.With(problem.Event, errors.New("plan refuses to run on pull_request_target: it would run a stranger's code with this repository's credentials: use the pull_request event"))
	}
	if s.repository, err = repository.Open(ctx, d.Runtime, d.Environ, in.Inputs); err != nil {
		return nil, err
	}
	s.pulls = pulls.New(s.repository.GitHub, s.context.Repository).WithTeams(s.repository.GitHubForTeams)
	if err := s.findPull(ctx); err != nil {
		return nil, err
	}
	if s.pull.Number > 0 && in.Drift {
		return nil, problem.With(problem.Event, fmt.Errorf("drift mode is for the default branch, and this is pull request #%d: its changes would be reported as drift: run it on a schedule", s.pull.Number))
	}
	if err := s.checkRef(ctx); err != nil {
		return nil, err
	}
	s.commit = in.SHA
	if s.commit == "" {
		s.commit = s.pull.Head
	}
	if s.commit == "" {
		s.commit = s.context.SHA
	}
	if !git.IsCommit(s.commit) {
		return nil, problem.With(problem.Event, errors.New("no commit to plan: the event has none; give the input `sha`"))
	}
	return s, nil
}

// findPull finds the pull request in the event. If the event has only its number, findPull asks GitHub.
func (s *session) findPull(ctx context.Context) error {
	number := 0
	switch e := s.event; {
	case e.PullRequest != nil:
		if e.PullRequest.Fork {
			return forked(e.PullRequest.Number)
		}
		s.pull = plan.PullRequest{Number: e.PullRequest.Number, Head: e.PullRequest.Head.SHA, Branch: e.PullRequest.Head.Ref, Base: e.PullRequest.Base.SHA, Into: e.PullRequest.Base.Ref}
		s.draft, s.labels, s.author, s.title = e.PullRequest.Draft, e.PullRequest.Labels, e.PullRequest.Author, e.PullRequest.Title
	case e.MergeGroup != nil:
		s.pull = plan.PullRequest{Number: e.MergeGroup.PullRequest, Head: e.MergeGroup.HeadSHA, Branch: e.MergeGroup.HeadRef, Base: e.MergeGroup.BaseSHA}
	case e.RepositoryDispatch != nil:
		number = e.RepositoryDispatch.PullRequest
	case e.Inputs["pull-request"] != "":
		var err error
		if number, err = strconv.Atoi(e.Inputs["pull-request"]); err != nil || number < 1 {
			return problem.With(problem.Input, fmt.Errorf("the workflow's input `pull-request` is %q: give the number of a pull request", e.Inputs["pull-request"]))
		}
	}
	if number == 0 {
		return nil
	}
	pr, err := s.pulls.Get(ctx, number)
	if err != nil {
		return err
	}
	if pr.Fork {
		return forked(number)
	}
	if pr.State != "open" && !s.Unlock {
		return problem.With(problem.Event, fmt.Errorf("pull request #%d is %s: it needs no plan any more", number, pulls.State(pr)))
	}
	s.pull = plan.PullRequest{Number: number, Head: pr.HeadSHA, Branch: pr.HeadRef, Base: pr.BaseSHA, Into: pr.BaseRef}
	s.draft, s.labels, s.author, s.title = pr.Draft, pr.Labels, pr.Author, pr.Title
	return nil
}

// ended handles a run for a pull request that is closed by now, as when an old run is run again. Such a
// run does nothing: a plan of the old head could undo what was merged since. Without a token, or if
// the token may not read pull requests, GitHub is not asked: the apply action refuses such a plan.
func (s *session) ended(ctx context.Context) (done bool, _ action.Result, _ error) {
	if s.event.PullRequest == nil || s.commit != s.pull.Head || s.Token == "" {
		return false, action.Result{}, nil
	}
	pr, err := s.pulls.Get(ctx, s.pull.Number)
	switch {
	case problem.CodeOf(err) == problem.GitHubPermission:
		return false, action.Result{}, nil
	case err != nil:
		return true, action.Result{}, fmt.Errorf("ask whether pull request #%d is open: %w", s.pull.Number, err)
	case pr.State == "open":
		s.draft, s.labels, s.title = pr.Draft, pr.Labels, pr.Title // may have changed since the event of a run that is run again
		return false, action.Result{}, nil
	}
	said := fmt.Sprintf("Nothing was planned: pull request #%d is already %s.", s.pull.Number, pulls.State(pr))
	if pr.Merged {
		said += " Plan the branch into which it was merged instead."
	}
	outputs, err := outputsOf(nil)
	if err != nil {
		return true, action.Result{}, err
	}
	s.Runtime.Notice(gha.Annotation{Message: said})
	return true, action.Result{Summary: "⏭️ " + markdown.Text(said) + "\n", Outputs: outputs}, nil
}

// noPlanLabel is the label of pull requests that are not planned.
const noPlanLabel = "no-plan"

// wanted refuses to plan a pull request with the label no-plan. It is an error, so that the job fails:
// GitHub counts a skipped job as a required check that passed.
func (s *session) wanted() error {
	if !slices.ContainsFunc(s.labels, func(l string) bool { return strings.EqualFold(l, noPlanLabel) }) {
		return nil
	}
	return problem.With(problem.NoPlanLabel, fmt.Errorf("pull request #%d has the label %s, so nothing is planned, and this check fails: remove the label to plan it", s.pull.Number, noPlanLabel))
}

func forked(number int) error {
	return problem.With(problem.Fork, fmt.Errorf("pull request #%d comes from a fork: GitHub gives its workflows no ID token and no secrets, so it can't be planned here: a maintainer can push its commits to a branch of this repository", number))
}

// look makes sure that the workspace holds the commit to plan.
func (s *session) look(ctx context.Context) (err error) {
	if s.checkout, err = s.repository.Checkout(ctx); err != nil {
		return err
	}
	if !s.checkout.Holds(s.commit) {
		return problem.With(problem.Checkout, fmt.Errorf("the workspace has commit %s checked out, but %s is to be planned: check it out first (`actions/checkout` with `ref: %[2]s`)", git.Short(s.checkout.Commit), s.commit))
	}
	return nil
}

// base returns the commit to compare the change with.
func (s *session) base(ctx context.Context) (string, error) {
	switch {
	case s.BaseSHA != "":
		return s.BaseSHA, nil
	case s.event.MergeGroup != nil:
		return s.event.MergeGroup.BaseSHA, nil
	case s.pull.Base != "":
		return s.repository.BaseOf(ctx, s.commit, s.pull.Base)
	case s.event.Push != nil:
		return s.event.Push.Before, nil // zeros for a new branch
	}
	return "", problem.With(problem.Event, fmt.Errorf("a %s event has no changed files, so it does not say which targets to plan: set `all: true`, or `targets`, or `component` and `stack`, or `base-sha` to compare with", s.context.EventName))
}

// facts are what policies may know of the run.
func (s *session) facts() policy.Facts {
	f := policy.Facts{Branch: s.pull.Branch, Base: s.pull.Into, Actor: s.context.Actor, Event: s.context.EventName}
	if f.Branch == "" {
		f.Branch = strings.TrimPrefix(s.context.Ref, "refs/heads/")
	}
	if s.pull.Number > 0 {
		f.PullRequest = &policy.PullRequest{Number: s.pull.Number, Author: s.author, Title: s.title, Labels: s.labels}
	}
	return f
}

// storageRole returns the role that opens the plan store. Drift results decide what an issue shows and
// which plan its label applies, so no pull request may assume the role that writes them.
func (s *session) storageRole(settings inventory.Effective) string {
	if s.Drift && settings.DriftStorageRole != "" {
		return settings.DriftStorageRole
	}
	return settings.PlanStorageRole
}
