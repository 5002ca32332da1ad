package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// report shows the plan and sets the outputs.
func (p *planning) report(ctx context.Context) (job.Result, error) {
	result := job.Result{Outputs: p.outputs(), Summary: p.markdown()(markdown.SummaryLimit)}
	if p.record.Outcome == planstore.OutcomeFailed {
		result.Annotations = job.Annotations(p.job.Target.Dir, p.diagnostics)
	}
	if p.KeepFiles && p.planfile != "" {
		if err := p.keepFiles(result.Outputs); err != nil {
			return result, err
		}
	}
	if p.Comment && p.pull.Number > 0 {
		// Quoted: names may have spaces.
		key := fmt.Sprintf("gitops plan %q %q", p.job.Target.Component, p.job.Target.Stack)
		return result, p.comment(ctx, key, p.markdown()(github.CommentRoom(key)))
	}
	return result, nil
}

// markdown returns what writes the report for a limit.
func (p *planning) markdown() func(limit int) string {
	if p.Drift {
		return p.driftView().Markdown
	}
	return job.Redact(p.Runtime, report.Plan{
		Subject: p.subject(), Changes: p.changes, Diagnostics: p.diagnostics, Error: p.undiagnosed(),
		Waits: names(p.waits), DependsOn: p.dependsOn(), ApplyHow: p.applyHow(),
	}).Markdown
}

func (p *planning) subject() report.Subject {
	s := report.Subject{
		Component: p.job.Target.Component, Stack: p.job.Target.Stack,
		Commit: p.record.Commit, BaseCommit: p.record.BaseCommit, PullRequest: p.record.PullRequest,
		Digest: p.record.Digest, CreatedAt: p.record.CreatedAt,
		RunURL: p.record.Run.URL, Actor: p.record.Actor,
		TerraformName: p.record.TerraformName, TerraformVersion: p.record.TerraformVersion, AtmosVersion: p.job.AtmosVersion(),
		Notes: p.notes, Cautions: p.cautions, Scope: p.record.Scope(),
	}
	s.BuiltDigest, s.BuiltSize = p.record.BuiltDigest, p.record.BuiltSize
	for _, f := range p.built.Files {
		s.Built = append(s.Built, report.BuiltFile{Name: f.Name, Size: f.Size})
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
func (p *planning) undiagnosed() string {
	if p.error == nil || len(p.diagnostics) > 0 {
		return ""
	}
	return problem.Text(p.error)
}

// dependsOn names the targets that this one depends on.
func (p *planning) dependsOn() (names []string) {
	for _, n := range p.job.Target.DependsOn {
		if n.Stack == p.job.Target.Stack {
			names = append(names, n.Component)
		} else {
			names = append(names, n.String())
		}
	}
	return names
}

func (p *planning) applyHow() string {
	switch {
	case p.lockedBy != "":
		return "Nothing can apply this plan as long as another pull request holds the lock."
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
	}
	countOutputs(out, p.record.Counts)
	if p.stored {
		out["plan-record"] = p.record.ID()
	}
	if p.Drift && p.changes != nil {
		out["drifted"] = strconv.FormatBool(p.drifted())
	}
	return out
}

func countOutputs(out map[string]string, n changes.Counts) {
	out["adds"] = strconv.Itoa(n.Adds())
	out["changes"] = strconv.Itoa(n.Changes())
	out["destroys"] = strconv.Itoa(n.Destroys())
	out["imports"] = strconv.Itoa(n.Import)
	out["moves"] = strconv.Itoa(n.Move)
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

// comment keeps one comment on the pull request, found again by its key.
func (s *session) comment(ctx context.Context, key, markdown string) error {
	client, err := s.repository.GitHub()
	if err != nil {
		return err
	}
	err = client.StickyComment(ctx, s.context.Repository, s.pull.Number, key, markdown)
	if errors.Is(err, github.ErrLocked) { // a person's choice, and the plan is stored
		s.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("The summary is not on pull request #%d: %v.", s.pull.Number, err)})
		return nil
	}
	return err
}
