package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// merge is what was merged. It is the same for all targets.
type merge struct {
	Inputs
	action.Deps
	event      gha.Event
	context    gha.Context
	repository *repository.Repository
	checkout   git.Head
	commit     string // the merged commit, on the default branch; the workspace holds it
	branch     string
	pulls      *pulls.Requests

	told told

	asked sync.Mutex
	heads []head // of the merged pull requests; nil until they are looked up

	compared sync.Once // for affected
	changes  []inventory.Change
	failure  error
}

// head is the last commit of a merged pull request, and the commit as which it was merged.
type head struct {
	number         int
	commit, merged string
}

// open finds what was merged.
func open(ctx context.Context, in Inputs, d action.Deps) (*merge, error) {
	event, err := d.Runtime.Event()
	if err != nil {
		return nil, err
	}
	m := &merge{Inputs: in, Deps: d, event: event, context: d.Runtime.Context()}
	m.branch = strings.TrimPrefix(m.context.Ref, "refs/heads/")
	if m.repository, err = repository.Open(ctx, d.Runtime, d.Environ, in.Inputs); err != nil {
		return nil, err
	}
	m.pulls = pulls.New(m.repository.GitHub, m.context.Repository).WithTeams(m.repository.GitHubForTeams)
	return m, m.findCommit(ctx)
}

// findCommit finds the commit on the default branch whose plans are applied. The workspace must
// hold it, since the plans are compared with it.
func (m *merge) findCommit(ctx context.Context) (err error) {
	m.commit = m.context.SHA
	if pr := m.event.PullRequest; pr != nil {
		if !pr.Merged && pr.Action == "closed" {
			return &skip{fmt.Sprintf("pull request #%d was closed without being merged", pr.Number)}
		}
		if !pr.Merged {
			return m.refuse(problem.With(problem.NotMerged, fmt.Errorf("pull request #%d is not merged", pr.Number)), "Merge it first: a plan is applied after its review. (A workflow on pull_request closed needs the condition `if: github.event.pull_request.merged`.)")
		}
		if pr.Base.Ref != m.event.DefaultBranch {
			return m.refuse(problem.With(problem.NotMerged, fmt.Errorf("pull request #%d was merged into %s, and not into %s", pr.Number, pr.Base.Ref, m.event.DefaultBranch)),
				"Merge that branch into "+m.event.DefaultBranch+", too. If you apply another branch, run this workflow on pushes to it.")
		}
		m.commit, m.branch = pr.MergeCommitSHA, pr.Base.Ref
	} else if tag, ok := strings.CutPrefix(m.context.Ref, "refs/tags/"); ok {
		return m.refuse(problem.With(problem.Event, fmt.Errorf("this run is on tag %s, but pull requests are merged into branches", tag)),
			fmt.Sprintf("Run this workflow on pushes to %s instead (on: push: branches), or start it on that branch.", m.event.DefaultBranch))
	}
	if !git.IsCommit(m.commit) {
		return problem.With(problem.Event, errors.New("the event names no commit to apply: run on a merged pull request, a push, or workflow_dispatch"))
	}
	if m.checkout, err = m.repository.Checkout(ctx); err != nil {
		return err
	}
	if m.checkout.Commit != m.commit {
		return problem.With(problem.Checkout, fmt.Errorf("the workspace has commit %s checked out, but %s is to be applied: check it out first (`actions/checkout` with `ref: %[2]s`)", git.Short(m.checkout.Commit), m.commit))
	}
	return nil
}

// refuse returns a refusal for the target of the inputs, or for the merge.
func (m *merge) refuse(reason error, next string) error {
	what := "what was merged"
	if m.Component != "" {
		what = inventory.Name{Component: m.Component, Stack: m.Stack}.String()
	}
	return &apply.Refusal{Target: what, Reason: reason, Next: next}
}

func (m *merge) key(n inventory.Name) planstore.Target {
	return planstore.Target{Repository: m.context.Repository, Component: n.Component, Stack: n.Stack}
}

// findPlan finds the newest plan of the right commit. That is the commit of the input `sha`, if it is
// given. Otherwise it is the first that has a plan of: the merged commit itself, which a merge queue
// or a dispatch has planned; another commit of a merge queue in the same push; the head of a merged
// pull request. If nobody has approved the plan, or its commit is behind, findPlan returns the plan
// and a refusal.
func (m *merge) findPlan(ctx context.Context, store *planstore.Store, name inventory.Name) (planstore.Stored, error) {
	commits, err := m.commits(ctx, func(commit string) (planstore.Stored, error) { return store.Find(ctx, m.key(name), commit) })
	if err != nil || commits.found.Record.Commit == "" {
		if err == nil {
			err = &apply.Refusal{Target: name.String(),
				Reason: problem.With(problem.NoPlan, fmt.Errorf("no stored plan for commit %s", strings.Join(commits.looked, " or "))),
				Next:   apply.PlanMerged}
		}
		return planstore.Stored{}, err
	}
	for _, sk := range commits.found.Damaged {
		m.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("%s: a plan record was skipped, since it was changed after it was written: %s. Find out who used the plan storage role to change it, then delete the record.", name, sk)})
	}
	if err := m.checkMerged(ctx, name, commits.found.Record); err != nil {
		return commits.found, err
	}
	return commits.found, m.checkBehind(ctx, name, commits.found)
}

type search struct {
	found  planstore.Stored
	looked []string
}

// commits looks for the plan of each possible commit, in order.
func (m *merge) commits(ctx context.Context, look func(string) (planstore.Stored, error)) (s search, err error) {
	try := func(commit string) (bool, error) {
		s.looked = append(s.looked, git.Short(commit))
		s.found, err = look(commit)
		if errors.Is(err, planstore.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	if m.SHA != "" {
		_, err := try(m.SHA)
		return s, err
	}
	if found, err := try(m.commit); found || err != nil {
		return s, err
	}
	heads, err := m.mergedHeads(ctx)
	if err != nil {
		return s, err
	}
	var all []string
	for _, h := range heads {
		if h.merged != m.commit {
			all = append(all, h.merged)
		}
	}
	for _, h := range heads {
		all = append(all, h.commit)
	}
	for _, commit := range all {
		if found, err := try(commit); found || err != nil {
			return s, err
		}
	}
	return s, nil
}

// mergedHeads returns the heads of the merged pull requests, the last one first. They come from the
// event, or from GitHub for each commit of a push.
func (m *merge) mergedHeads(ctx context.Context) ([]head, error) {
	if pr := m.event.PullRequest; pr != nil {
		return []head{{pr.Number, pr.Head.SHA, m.commit}}, nil
	}
	m.asked.Lock()
	defer m.asked.Unlock()
	if m.heads != nil {
		return m.heads, nil
	}
	client, err := m.repository.GitHub()
	if err != nil {
		return nil, err
	}
	commits := []string{m.commit}
	if m.event.Push != nil {
		commits = m.repository.Pushed(ctx, m.event.Push.Before, m.commit)
	}
	heads := []head{}
	for _, commit := range commits {
		merged, err := client.MergedPullRequests(ctx, m.context.Repository, commit, m.branch)
		if err != nil {
			return nil, err
		}
		for _, pr := range merged {
			heads = append(heads, head{pr.Number, pr.HeadSHA, commit})
		}
	}
	m.heads = heads
	return heads, nil
}

// checkMerged refuses a plan that belongs neither to a merged pull request nor to the commit that is
// applied: nobody has approved its changes.
func (m *merge) checkMerged(ctx context.Context, name inventory.Name, record planstore.Record) error {
	refuse := func(reason error, next string) error {
		return &apply.Refusal{Target: name.String(), Reason: reason, Next: next}
	}
	// Events of a merge are trusted, even if GitHub's API doesn't show the merge yet. A dispatch
	// proves no merge.
	merging := m.event.PullRequest != nil || m.event.Push != nil && m.branch == m.event.DefaultBranch
	if record.Commit == m.commit && (record.PullRequest == 0 || merging) {
		return nil
	}
	if record.PullRequest == 0 {
		return refuse(problem.With(problem.NotMerged, fmt.Errorf("the plan was made for commit %s without a pull request, but %s is to be applied", git.Short(record.Commit), git.Short(m.commit))), "Plan this commit, or merge a pull request.")
	}
	number, head, merged := record.PullRequest, "", ""
	if pr := m.event.PullRequest; pr != nil && pr.Number == record.PullRequest {
		head, merged = pr.Head.SHA, pr.MergeCommitSHA
	} else {
		pr, err := m.pulls.Get(ctx, number)
		if err != nil {
			return fmt.Errorf("ask whether pull request #%d is merged: %w", number, err)
		}
		switch {
		case !pr.Merged:
			return refuse(problem.With(problem.NotMerged, fmt.Errorf("pull request #%d is not merged", number)), "Merge it first: a plan is applied after its review.")
		case pr.BaseRef != m.branch:
			return refuse(problem.With(problem.NotMerged, fmt.Errorf("pull request #%d was merged into %s, but this run is on %s", number, pr.BaseRef, m.branch)), "Run this on the branch into which it was merged.")
		}
		head, merged = pr.HeadSHA, pr.MergeCommitSHA
	}
	// head is the commit that was reviewed, and merged is the commit as which it was merged.
	if record.Commit == head || record.Commit == merged {
		return nil
	}
	return refuse(problem.With(problem.NotMerged, fmt.Errorf("the plan was made for commit %s, but pull request #%d was merged at commit %s", git.Short(record.Commit), number, git.Short(head))), "Apply the plan of the commit that was merged.")
}

// clocks is the assumed maximal difference between the clocks of a runner and of a commit's author.
const clocks = 24 * time.Hour

// checkBehind refuses a plan for a commit that is older than the one that was applied to the target
// last: it would undo what was merged since. That only happens if an old run is run again after its
// commit was planned again. Otherwise the old plan is superseded.
func (m *merge) checkBehind(ctx context.Context, name inventory.Name, stored planstore.Stored) error {
	last := stored.Last
	if last == nil || stored.Status != planstore.StatusPlanned || stored.Record.Outcome != planstore.OutcomeChanges {
		return nil
	}
	if m.checkout.Committed.After(last.AppliedAt.Add(clocks)) {
		return nil // the commit is newer than that apply
	}
	behind, err := m.repository.Behind(ctx, m.commit, last.MergedCommit)
	if err != nil {
		return fmt.Errorf("check whether %s is older than %s, which was applied to %s last: %w", git.Short(m.commit), git.Short(last.MergedCommit), name, err)
	}
	if !behind {
		return nil
	}
	return &apply.Refusal{Target: name.String(),
		Reason: problem.With(problem.Behind, fmt.Errorf("commit %s is older than %s, which was already applied by %s", git.Short(m.commit), git.Short(last.MergedCommit), last.Run.URL)),
		Next:   "Usually there is nothing to do: the newer commit has the same change. To go back on purpose, revert in a new pull request."}
}
