package fleet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

var applyStatus = map[apply.Decision]report.Status{
	apply.Succeeded: report.Succeeded, apply.Unchanged: report.NoChanges, apply.Ready: report.Planned,
	apply.Refused: report.Refused, apply.Skipped: report.Skipped, apply.Failed: report.Failed,
}

// AddApply adds the result of applying a target's plan. It returns false if the targets that depend
// on this one must not be applied.
func (t *Tally) AddApply(o apply.Outcome) (well bool) {
	e := report.Entry{
		Component: o.Target.Component, Stack: o.Target.Stack, Status: applyStatus[o.Decision],
		Counts: ownCounts(o.Planned), Digest: o.Record.Digest, Note: strings.Join(o.Record.Scope(), " "),
		TerraformName: o.Record.TerraformName, TerraformVersion: o.Record.TerraformVersion, AtmosVersion: o.AtmosVersion,
	}
	var (
		skipped *repository.Skipped
		refusal *apply.Refusal
	)
	switch {
	case errors.As(o.Err, &skipped):
		e.Note = skipped.Reason
		t.Runtime.Notice(gha.Annotation{Message: skipped.Error()})
		t.add(e, nil)
		return true
	case errors.As(o.Err, &refusal):
		e.Note = t.Runtime.Redacted(problem.Text(refusal.Reason))
	case o.Err != nil:
		// The target's name is left out, since the table has it in another column.
		e.Note = t.Runtime.Redacted(strings.TrimPrefix(problem.Text(o.Err), "apply "+o.Target.String()+": "))
	default:
		e.Cautions = action.Redact(t.Runtime, o.Cautions)
		if line := applyRules(o).Line(); line != "" {
			e.Note = strings.TrimSpace(e.Note + " " + t.Runtime.Redacted(line))
		}
	}
	if o.Err != nil {
		t.fail(o.Target, o.Err, ApplyAnnotations(o)...)
	}
	t.add(e, action.Redact(t.Runtime, ApplyReport(o, t.Runtime.Context())))
	return o.Err == nil
}

// ownCounts are the counts of a plan without what changed outside Terraform: the record of a plan
// does not tell which of that had an effect.
func ownCounts(n changes.Counts) changes.Counts {
	n.Drift = 0
	return n
}

// AddAppliedBefore adds a target whose plan an earlier attempt of this run has applied. Targets
// that depend on it can go on.
func (t *Tally) AddAppliedBefore(o apply.Outcome, by *planstore.Claim) {
	t.add(report.Entry{
		Component: o.Target.Component, Stack: o.Target.Stack, Status: report.NoChanges, Counts: ownCounts(o.Planned), Digest: o.Record.Digest,
		Note: "the plan was already applied by " + by.Run.URL,
	}, nil)
}

// AddWaiting adds a target that has to be planned and applied in a later run. It is no failure.
func (t *Tally) AddWaiting(n inventory.Name, r planstore.Record, note string) {
	t.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("%s is not applied: it %s. %s", n, note, apply.PlanMerged)})
	t.add(report.Entry{Component: n.Component, Stack: n.Stack, Status: report.Waiting, Counts: ownCounts(r.Counts), Digest: r.Digest, Note: note}, nil)
}

// AddBlocked adds a target that was not applied because targets that it depends on were not.
func (t *Tally) AddBlocked(n inventory.Name, r planstore.Record, failed []inventory.Name) {
	note := "depends on " + Names(failed) + ", which was not applied"
	t.fail(n, problem.With(problem.Targets, fmt.Errorf("%s was not applied: it %s", n, note)))
	t.add(report.Entry{Component: n.Component, Stack: n.Stack, Status: report.Blocked, Counts: ownCounts(r.Counts), Digest: r.Digest, Note: note}, nil)
}

// ApplyAnnotations returns Terraform's errors with their places in files, and other errors beside
// them. It returns none for a refusal or a cancelled run: the run's own error explains these, and
// what Terraform reported before its end would distract.
func ApplyAnnotations(o apply.Outcome) []gha.Annotation {
	if o.Decision == apply.Refused || errors.Is(o.Err, terraform.ErrInterrupted) {
		return nil
	}
	return annotations(o.Dir, o.Diagnostics, o.Trouble)
}

// ApplyReport turns the outcome of an apply into a report. It may hold secrets: see
// [action.Redact].
func ApplyReport(o apply.Outcome, run gha.Context) report.Apply {
	r := o.Record
	a := report.Apply{
		Subject: report.Subject{
			Component: o.Target.Component, Stack: o.Target.Stack,
			Commit: r.Commit, BaseCommit: r.BaseCommit, PullRequest: r.PullRequest, Digest: r.Digest, CreatedAt: r.CreatedAt,
			TerraformName: r.TerraformName, TerraformVersion: r.TerraformVersion, AtmosVersion: o.AtmosVersion,
			BuiltDigest: r.BuiltDigest, BuiltSize: r.BuiltSize, Built: o.Built,
			Scope: r.Scope(), Destroy: r.Mode == "destroy", Notes: o.Notes, Settings: o.Settings, Cautions: o.Cautions, RunURL: run.RunURL, Actor: run.Actor,
		},
		Status: applyStatus[o.Decision], Planned: o.Planned, Now: o.Now,
		Resources: o.Resources, Outputs: o.Outputs, Diagnostics: o.Diagnostics,
		Verification: o.Verified, Unverified: o.Unverified, Rules: applyRules(o),
	}
	if r.Commit != "" {
		a.RecordID = r.ID()
	}
	if s := o.RescuedState; s != nil {
		a.ErroredState = &report.ErroredState{StoredAt: s.StoredAt, Commands: s.Commands}
	}
	var refusal *apply.Refusal
	switch {
	case errors.As(o.Err, &refusal):
		a.Error, a.Differs, a.NextSteps = problem.Text(refusal.Reason), refusal.Differs, []string{refusal.Next}
	case o.Err != nil:
		a.Error = withoutDiagnostics(o.Err, o.Diagnostics)
	}
	return a
}

func applyRules(o apply.Outcome) report.Rules {
	return report.Rules{Policy: o.Policy, Required: o.Required, Missing: o.Missing, Given: o.Given, Override: o.Override}
}

// withoutDiagnostics is an error without what the diagnostics beside it say in full.
func withoutDiagnostics(err error, diagnostics []terraform.Diagnostic) string {
	text := problem.Text(err)
	var failed *terraform.CommandError
	if len(diagnostics) == 0 || !errors.As(err, &failed) || len(failed.Diagnostics) == 0 {
		return text
	}
	return strings.Replace(text, failed.Error(), failed.Command+" failed, see the errors below", 1)
}
