package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// choice is the choice of the plan to apply.
type choice struct {
	*apply.Work
	runtime *gha.Runtime
	sha     string // the commit whose plan is meant, by the input; else empty
	store   *planstore.Store
	record  planstore.Record
}

// choose decides which plan is meant (DESIGN: exact commit first, else the merged
// pull request's head), takes its record, and refuses one that nobody has approved.
func (c *choice) choose(ctx context.Context) error {
	event, err := c.runtime.Event()
	if err != nil {
		return err
	}
	merged, err := c.mergedCommit(ctx, event)
	if err != nil {
		return err
	}
	if c.store, err = c.Store(ctx); err != nil {
		return err
	}
	if err := c.findRecord(ctx, event, merged); err != nil {
		return err
	}
	return c.checkMerged(ctx, event, merged)
}

// mergedCommit is the commit on the default branch that the apply is for; the
// workspace must hold it, since the plan is compared with it.
func (c *choice) mergedCommit(ctx context.Context, event gha.Event) (string, error) {
	merged := c.Job.Context.SHA
	if pr := event.PullRequest; pr != nil {
		if !pr.Merged && pr.Action == "closed" {
			return "", &job.Skipped{Target: c.Job.Target, Reason: fmt.Sprintf("pull request #%d was closed without being merged", pr.Number)}
		}
		if !pr.Merged {
			return "", c.Refuse(fmt.Errorf("pull request #%d is not merged", pr.Number), "Merge it first: a plan is applied after its review. (A workflow on pull_request closed wants if: github.event.pull_request.merged.)")
		}
		if pr.Base.Ref != event.DefaultBranch {
			return "", c.Refuse(fmt.Errorf("pull request #%d was merged into %s, and not into %s", pr.Number, pr.Base.Ref, event.DefaultBranch),
				"Merge that branch into "+event.DefaultBranch+", too. Where another branch is the one that is applied, run this workflow on pushes to it.")
		}
		merged = pr.MergeCommitSHA
	}
	if !job.IsCommit(merged) {
		return "", errors.New("the event names no commit to apply: run on a merged pull request, a push, or workflow_dispatch")
	}
	checkout, err := job.ReadCheckout(ctx, c.Job.Context.Workspace)
	if err != nil {
		return "", err
	}
	if checkout.Commit != merged {
		return "", fmt.Errorf("the workspace holds commit %s, and %s is to be applied: check it out first (`actions/checkout` with `ref: %[2]s`)", job.Short(checkout.Commit), merged)
	}
	return merged, nil
}

// findRecord finds the newest plan of the commit that is meant: the one the input
// names; else the merged commit itself, which a merge queue or a dispatch plans;
// else the head of the pull request that was merged as that commit.
func (c *choice) findRecord(ctx context.Context, event gha.Event, merged string) error {
	commit := merged
	if c.sha != "" {
		commit = c.sha
	}
	looked := []string{job.Short(commit)}
	found, err := c.look(ctx, commit)
	if found || err != nil {
		return err
	}
	if c.sha == "" {
		heads, err := c.mergedHeads(ctx, event, merged)
		if err != nil {
			return err
		}
		for _, head := range heads {
			looked = append(looked, job.Short(head))
			if found, err := c.look(ctx, head); found || err != nil {
				return err
			}
		}
	}
	return c.Refuse(fmt.Errorf("no stored plan for commit %s", strings.Join(looked, " or ")), "Run the plan action on the pull request's head commit, with the same component, stack and store, then apply again.")
}

// look finds the newest plan of one commit, if there is one.
func (c *choice) look(ctx context.Context, commit string) (found bool, err error) {
	stored, err := c.store.Find(ctx, c.Job.Key(), commit)
	switch {
	case errors.Is(err, planstore.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	c.record = stored.Record
	c.Take(stored)
	return true, nil
}

// mergedHeads are the heads of the pull requests that were merged as a commit:
// the event's, or those that GitHub names.
func (c *choice) mergedHeads(ctx context.Context, event gha.Event, commit string) (heads []string, err error) {
	if event.PullRequest != nil {
		return []string{event.PullRequest.Head.SHA}, nil
	}
	client, err := c.Job.GitHub()
	if err != nil {
		return nil, err
	}
	branch := strings.TrimPrefix(c.Job.Context.Ref, "refs/heads/")
	pulls, err := client.MergedPullRequests(ctx, c.Job.Context.Repository, commit, branch)
	for _, pr := range pulls {
		heads = append(heads, pr.HeadSHA)
	}
	return heads, err
}

// checkMerged refuses a plan that belongs to neither a merged pull request nor
// the commit being applied: nobody has approved what it would do.
func (c *choice) checkMerged(ctx context.Context, event gha.Event, merged string) error {
	record := c.record
	if record.PullRequest == 0 {
		if record.Commit == merged {
			return nil
		}
		return c.Refuse(fmt.Errorf("the plan was made for commit %s outside of a pull request, and %s is to be applied", job.Short(record.Commit), job.Short(merged)), "Plan this commit, or merge a pull request.")
	}
	if pr := event.PullRequest; pr != nil && pr.Number == record.PullRequest {
		return c.checkReviewed(pr.Number, pr.Head.SHA, pr.MergeCommitSHA)
	}
	client, err := c.Job.GitHub()
	if err != nil {
		return err
	}
	pr, err := client.PullRequest(ctx, c.Job.Context.Repository, record.PullRequest)
	if err != nil {
		return fmt.Errorf("ask whether pull request #%d is merged: %w", record.PullRequest, err)
	}
	branch := strings.TrimPrefix(c.Job.Context.Ref, "refs/heads/")
	switch {
	case !pr.Merged:
		return c.Refuse(fmt.Errorf("pull request #%d is not merged", pr.Number), "Merge it first: a plan is applied after its review.")
	case pr.BaseRef != branch:
		return c.Refuse(fmt.Errorf("pull request #%d was merged into %s, and this run is on %s", pr.Number, pr.BaseRef, branch), "Run this on the branch that it was merged into.")
	}
	return c.checkReviewed(pr.Number, pr.HeadSHA, pr.MergeCommitSHA)
}

// checkReviewed refuses the plan of a commit of a merged pull request that is
// neither the last one, which was reviewed, nor what the merge made of it.
func (c *choice) checkReviewed(number int, head, merged string) error {
	commit := c.record.Commit
	if commit == head || commit == merged {
		return nil
	}
	return c.Refuse(fmt.Errorf("the plan was made for commit %s, and pull request #%d was merged at %s", job.Short(commit), number, job.Short(head)), "Apply the plan of the commit that was merged.")
}
