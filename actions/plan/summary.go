package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
)

// report shows the plan and sets the outputs.
func (p *planning) report(ctx context.Context, planErr error) (job.Result, error) {
	view := job.Redact(p.Runtime, report.Plan{
		Subject: p.subject(), Changes: p.changes, Diagnostics: p.diagnostics, Error: p.undiagnosed(planErr),
		DependsOn: p.job.Target.DependsOn, ApplyHow: p.applyHow(),
	})
	result := job.Result{Outputs: p.outputs()}
	if p.Drift {
		result.Summary = p.driftView(planErr).Markdown(report.SummaryLimit)
	} else {
		result.Summary = view.Markdown(report.SummaryLimit)
	}
	if p.record.Outcome == planstore.OutcomeFailed {
		result.Annotations = job.Annotations(p.job.Target.Dir, p.diagnostics)
	}
	if p.KeepFiles && p.planfile != "" {
		if err := p.keepFiles(result.Outputs); err != nil {
			return result, err
		}
	}
	if p.Comment && p.record.PullRequest > 0 {
		return result, p.comment(ctx, view)
	}
	return result, nil
}

func (p *planning) subject() report.Subject {
	s := report.Subject{
		Component: p.job.Target.Component, Stack: p.job.Target.Stack,
		Commit: p.record.Commit, BaseCommit: p.record.BaseCommit, PullRequest: p.record.PullRequest,
		Digest: p.record.Digest, CreatedAt: p.record.CreatedAt,
		RunURL: p.record.Run.URL, Actor: p.record.Actor,
		TerraformName: p.record.TerraformName, TerraformVersion: p.record.TerraformVersion,
		Notes: p.notes,
	}
	if p.Debug {
		s.Settings = p.job.Origins()
	}
	if p.stored {
		s.RecordID, s.ExpiresAt = p.record.ID(), p.record.ExpiresAt
	}
	return s
}

// undiagnosed is an error that no diagnostic tells.
func (p *planning) undiagnosed(planErr error) string {
	if planErr == nil || len(p.diagnostics) > 0 {
		return ""
	}
	return planErr.Error()
}

func (p *planning) applyHow() string {
	switch {
	case !p.Store:
		return "This planfile was not stored (plan-storage: false), so nothing can apply it."
	case p.record.PullRequest > 0:
		return "When this pull request is merged, the apply action applies exactly this planfile."
	default:
		return "The apply action applies exactly this planfile, for this commit."
	}
}

func (p *planning) outputs() map[string]string {
	out := map[string]string{
		"has-changes": strconv.FormatBool(p.record.Outcome == planstore.OutcomeChanges),
		"digest":      p.record.Digest,
		"adds":        strconv.Itoa(p.record.Counts.Adds()),
		"changes":     strconv.Itoa(p.record.Counts.Changes()),
		"destroys":    strconv.Itoa(p.record.Counts.Destroys()),
		"imports":     strconv.Itoa(p.record.Counts.Import),
		"moves":       strconv.Itoa(p.record.Counts.Move),
	}
	if p.stored {
		out["plan-record"] = p.record.ID()
	}
	if p.Drift && p.changes != nil {
		out["drifted"] = strconv.FormatBool(p.drifted())
	}
	return out
}

// keepFiles moves the planfile and its JSON, both full of secrets, where later
// steps of the job find them: only because the workflow asked for it.
func (p *planning) keepFiles(outputs map[string]string) error {
	dir, err := os.MkdirTemp(p.job.Context.TempDir, "gitops-kept-")
	if err != nil {
		return fmt.Errorf("keep the planfile: %w", err)
	}
	for output, file := range map[string]string{"plan_file": p.planfile, "plan_json": p.planJSON} {
		outputs[output] = filepath.Join(dir, filepath.Base(file))
		if err := os.Rename(file, outputs[output]); err != nil {
			return fmt.Errorf("keep the planfile: %w", err)
		}
	}
	return nil
}

func (p *planning) comment(ctx context.Context, view report.Plan) error {
	client, err := p.job.GitHub()
	if err != nil {
		return err
	}
	// Quoted: names may have spaces.
	key := fmt.Sprintf("gitops plan %q %q", p.job.Target.Component, p.job.Target.Stack)
	err = client.StickyComment(ctx, p.job.Context.Repository, p.record.PullRequest, key, view.Markdown(github.CommentRoom(key)))
	if err != nil {
		return fmt.Errorf("comment on pull request #%d: %w", p.record.PullRequest, err)
	}
	return nil
}
