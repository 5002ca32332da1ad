package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// find decides which plan is meant (DESIGN: exact commit first, else the merged
// pull request's head), finds its record, and refuses what can't be applied by
// its record alone.
func (a *applying) find(ctx context.Context) error {
	event, err := a.Runtime.Event()
	if err != nil {
		return err
	}
	if a.job, err = job.Open(ctx, a.Runtime, a.Environ, a.Inputs.Inputs); err != nil {
		return err
	}
	if atmos := a.job.Target.Atmos; atmos != nil && atmos.Locked {
		return a.refuse(errors.New("the component is locked (metadata.locked)"), "Unlock it in its stack manifest, in a pull request of its own, and run this job again.")
	}
	merged, err := a.mergedCommit(ctx, event)
	if err != nil {
		return err
	}
	if a.store, err = a.job.Store(ctx, a.job.Target.Settings.ApplyStorageRole, a.Now); err != nil {
		return err
	}
	if err := a.findRecord(ctx, event, merged); err != nil {
		return err
	}
	a.describe()
	if err := a.checkMerged(ctx, event, merged); err != nil {
		return err
	}
	if a.stored.Status != planstore.StatusPlanned {
		return a.refuseStatus(a.stored.Status, a.stored.Claim, a.stored.Last)
	}
	return nil
}

// mergedCommit is the commit on the default branch that the apply is for; the
// workspace must hold it, since the plan is compared with it.
func (a *applying) mergedCommit(ctx context.Context, event gha.Event) (string, error) {
	merged := a.job.Context.SHA
	if pr := event.PullRequest; pr != nil {
		if !pr.Merged {
			return "", a.refuse(fmt.Errorf("pull request #%d is not merged", pr.Number), "Merge it first: a plan is applied after its review. (A workflow on pull_request closed wants if: github.event.pull_request.merged.)")
		}
		if pr.Base.Ref != event.DefaultBranch {
			return "", a.refuse(fmt.Errorf("pull request #%d was merged into %s, and not into %s", pr.Number, pr.Base.Ref, event.DefaultBranch),
				"Merge that branch into "+event.DefaultBranch+", too. Where another branch is the one that is applied, run this workflow on pushes to it.")
		}
		merged = pr.MergeCommitSHA
	}
	if !job.IsCommit(merged) {
		return "", errors.New("the event names no commit to apply: run on a merged pull request, a push, or workflow_dispatch")
	}
	checkout, err := job.ReadCheckout(ctx, a.job.Context.Workspace)
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
func (a *applying) findRecord(ctx context.Context, event gha.Event, merged string) error {
	commit := merged
	if a.SHA != "" {
		commit = a.SHA
	}
	looked := []string{job.Short(commit)}
	found, err := a.look(ctx, commit)
	if found || err != nil {
		return err
	}
	if a.SHA == "" {
		heads, err := a.mergedHeads(ctx, event, merged)
		if err != nil {
			return err
		}
		for _, head := range heads {
			looked = append(looked, job.Short(head))
			if found, err := a.look(ctx, head); found || err != nil {
				return err
			}
		}
	}
	return a.refuse(fmt.Errorf("no stored plan for commit %s", strings.Join(looked, " or ")), "Run the plan action on the pull request's head commit, with the same component, stack and store, then apply again.")
}

// look finds the newest plan of one commit, if there is one.
func (a *applying) look(ctx context.Context, commit string) (found bool, err error) {
	a.stored, err = a.store.Find(ctx, a.job.Key(), commit)
	if errors.Is(err, planstore.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// mergedHeads are the heads of the pull requests that were merged as a commit:
// the event's, or those that GitHub names.
func (a *applying) mergedHeads(ctx context.Context, event gha.Event, commit string) (heads []string, err error) {
	if event.PullRequest != nil {
		return []string{event.PullRequest.Head.SHA}, nil
	}
	client, err := a.job.GitHub()
	if err != nil {
		return nil, err
	}
	branch := strings.TrimPrefix(a.job.Context.Ref, "refs/heads/")
	pulls, err := client.MergedPullRequests(ctx, a.job.Context.Repository, commit, branch)
	for _, pr := range pulls {
		heads = append(heads, pr.HeadSHA)
	}
	return heads, err
}

// checkMerged refuses a plan that belongs to neither a merged pull request nor
// the commit being applied: nobody has approved what it would do.
func (a *applying) checkMerged(ctx context.Context, event gha.Event, merged string) error {
	record := a.stored.Record
	if record.PullRequest == 0 {
		if record.Commit == merged {
			return nil
		}
		return a.refuse(fmt.Errorf("the plan was made for commit %s outside of a pull request, and %s is to be applied", job.Short(record.Commit), job.Short(merged)), "Plan this commit, or merge a pull request.")
	}
	if pr := event.PullRequest; pr != nil && pr.Number == record.PullRequest {
		return a.checkReviewed(pr.Number, pr.Head.SHA, pr.MergeCommitSHA)
	}
	client, err := a.job.GitHub()
	if err != nil {
		return err
	}
	pr, err := client.PullRequest(ctx, a.job.Context.Repository, record.PullRequest)
	if err != nil {
		return fmt.Errorf("ask whether pull request #%d is merged: %w", record.PullRequest, err)
	}
	branch := strings.TrimPrefix(a.job.Context.Ref, "refs/heads/")
	switch {
	case !pr.Merged:
		return a.refuse(fmt.Errorf("pull request #%d is not merged", pr.Number), "Merge it first: a plan is applied after its review.")
	case pr.BaseRef != branch:
		return a.refuse(fmt.Errorf("pull request #%d was merged into %s, and this run is on %s", pr.Number, pr.BaseRef, branch), "Run this on the branch that it was merged into.")
	}
	return a.checkReviewed(pr.Number, pr.HeadSHA, pr.MergeCommitSHA)
}

// checkReviewed refuses the plan of a commit of a merged pull request that is
// neither the last one, which was reviewed, nor what the merge made of it.
func (a *applying) checkReviewed(number int, head, merged string) error {
	commit := a.stored.Record.Commit
	if commit == head || commit == merged {
		return nil
	}
	return a.refuse(fmt.Errorf("the plan was made for commit %s, and pull request #%d was merged at %s", job.Short(commit), number, job.Short(head)), "Apply the plan of the commit that was merged.")
}
