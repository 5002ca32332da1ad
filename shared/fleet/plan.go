package fleet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/planned"
	"github.com/terraform-gitops/gitops/shared/repository"
)

var planStatus = map[plan.Decision]report.Status{
	plan.Changed: report.Planned, plan.Unchanged: report.NoChanges, plan.Waiting: report.Waiting,
	plan.Skipped: report.Skipped, plan.Failed: report.Failed, plan.NotPlanned: report.Failed,
}

// AddPlan adds the result of planning a target.
func (t *Tally) AddPlan(o plan.Outcome) {
	e := report.Entry{
		Component: o.Name.Component, Stack: o.Name.Stack, Status: planStatus[o.Decision],
		Counts: o.Record.Counts, Digest: o.Record.Digest, Cautions: action.Redact(t.Runtime, o.Cautions),
		TerraformName: o.Record.TerraformName, TerraformVersion: o.Record.TerraformVersion, AtmosVersion: o.AtmosVersion,
		Applies: o.Decision == plan.Changed && o.Stored && o.LockedBy == nil && !o.Rules.Denied(), Environment: o.Environment,
		Policy: result(o.Rules.Policy), BasePolicy: result(o.Rules.Base), Overriders: o.Rules.Overriders,
		Needs: t.Runtime.Redacted(needs(o.Rules)), Unknown: action.Redact(t.Runtime, o.Unknown),
	}
	t.Summary.RulesChanged(rulesChanged(o))
	t.logPolicies(o)
	if o.Changes != nil {
		e.Counts, e.Ignored = o.Changes.Shown(), o.Changes.Ignored.Differences()
	}
	for _, caution := range o.Cautions {
		t.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("plan %s: %s", o.Name, caution)})
	}
	var skipped *repository.Skipped
	failure := errors.Join(o.Err, o.Trouble)
	switch {
	case errors.As(o.Err, &skipped):
		e.Note = skipped.Reason
		t.Runtime.Notice(gha.Annotation{Message: skipped.Error()})
		t.add(e, nil)
		return
	case failure != nil:
		t.fail(o.Name, failure, annotations(o.Dir, o.Diagnostics, o.Trouble)...)
		// The target's name is left out, since the table has it in another column.
		e.Status, e.Note = report.Failed, t.Runtime.Redacted(strings.TrimPrefix(problem.Text(failure), "plan "+o.Name.String()+": "))
		e.Told = o.Decision == plan.NotPlanned
	case o.Decision == plan.Waiting:
		e.Note = "can be planned once " + Names(o.Waits) + " is applied"
		t.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("%s %s: it reads values that the same change creates.", o.Name, e.Note)})
	case o.Rules.Denied() && o.Record.Kind != planstore.KindDrift:
		reason := o.Rules.Policy.Reason()
		t.deny(o.Name, denied(o.Name, reason), reason)
		e.Status, e.Note = report.Denied, t.Runtime.Redacted(reason)
	case o.LockedBy != nil:
		e.Note = lockedBy(o)
	default:
		e.Note = strings.Join(o.Record.Scope(), " ")
		if by := o.Rules.Override; by != nil {
			e.Note = strings.TrimSpace(by.User + " overrides the policies. " + e.Note)
		}
		if e.Ignored > 0 {
			e.Note = strings.TrimSpace(ignoredNote(o.Changes.Ignored.Uses) + " " + e.Note)
		}
	}
	t.logChanges(o)
	t.add(e, t.PlanReport(o))
}

func result(v *policy.Verdict) policy.Result {
	if v == nil {
		return ""
	}
	return v.Result
}

// denied is the error of a plan that the policies deny. The plan is stored: an apply evaluates the
// policies of what is merged.
func denied(target any, reason string) error {
	return problem.With(problem.Policy, fmt.Errorf("plan %s: the policies deny it: %s", target, reason))
}

// needs says which approvals are missing, in a line.
func needs(r plan.Rules) string {
	missing := r.Required
	if len(r.Missing)+len(r.Given) > 0 { // else nobody was asked
		missing = nil
		for _, m := range r.Missing {
			missing = append(missing, m.Requirement)
		}
	}
	var who []string
	for _, m := range missing {
		text := m.Who()
		if m.Reason != "" {
			text += " (" + m.Reason + ")"
		}
		if !slices.ContainsFunc(who, func(w string) bool { return w == text || strings.HasPrefix(w, text+" (") }) {
			who = append(who, text)
		}
	}
	if len(who) == 0 {
		return ""
	}
	return "Needs approval by " + strings.Join(who, ", and by ") + "."
}

// logPolicies logs what print and trace in policies say.
func (t *Tally) logPolicies(o plan.Outcome) {
	v := o.Rules.Policy
	if v == nil || len(v.Log) == 0 {
		return
	}
	log := t.Runtime.Group("policies: " + o.Name.String())
	_, _ = io.WriteString(log, strings.Join(v.Log, "\n")+"\n") // a broken log must not end the run
	_ = log.Close()
}

func rulesChanged(o plan.Outcome) report.RulesChanged {
	return report.RulesChanged{Policies: o.Rules.Changes.Policies, Settings: o.Rules.Changes.Settings, Base: o.Rules.Base}
}

func planRules(o plan.Outcome) report.Rules {
	return report.Rules{Policy: o.Rules.Policy, Required: o.Rules.Required, Missing: o.Rules.Missing, Given: o.Rules.Given,
		Override: o.Rules.Override, Overriders: o.Rules.Overriders, Changed: rulesChanged(o)}
}

// maxLog limits the text of a plan in the log, in bytes. It is about as much as the plan keeps.
const maxLog = 1 << 20

// logChanges logs a plan's changes in a group of their own. The log of the planning is made from
// Terraform's JSON output, which only names the resources. The text is the report's: for Terraform's
// own text, Terraform and all providers would have to be started again.
func (t *Tally) logChanges(o plan.Outcome) {
	if o.Changes == nil || o.Err != nil {
		return
	}
	if text := planned.Text(action.Redact(t.Runtime, o.Changes), maxLog); text != nil {
		log := t.Runtime.Group("changes: " + o.Name.String())
		_, _ = log.Write(text) // a broken log must not end the run
		_ = log.Close()
	}
}

// PlanReport returns the report of a plan, with known secrets redacted.
func (t *Tally) PlanReport(o plan.Outcome) report.Report {
	if o.Record.Kind == planstore.KindDrift {
		return t.driftReport(o)
	}
	message, code := undiagnosed(o)
	subject := planSubject(o)
	subject.Draft = t.Summary != nil && t.Summary.Draft
	return action.Redact(t.Runtime, report.Plan{
		Subject: subject, Changes: o.Changes, Diagnostics: o.Diagnostics, Error: message, Code: code,
		Waits: nameList(o.Waits), DependsOn: dependsOn(o), ApplyHow: applyHow(o), Rules: planRules(o),
	})
}

func planSubject(o plan.Outcome) report.Subject {
	r := o.Record
	s := report.Subject{
		Component: o.Name.Component, Stack: o.Name.Stack,
		Commit: r.Commit, BaseCommit: r.BaseCommit, PullRequest: r.PullRequest,
		Digest: r.Digest, CreatedAt: r.CreatedAt, RunURL: r.Run.URL, Actor: r.Actor,
		TerraformName: r.TerraformName, TerraformVersion: r.TerraformVersion, AtmosVersion: o.AtmosVersion,
		BuiltDigest: r.BuiltDigest, BuiltSize: r.BuiltSize, Built: o.Built,
		Notes: o.Notes, Unknown: o.Unknown, Cautions: o.Cautions, Scope: r.Scope(), Destroy: r.Mode == "destroy", Settings: o.Settings, Reproduce: o.Reproduce,
	}
	if o.LockedBy != nil {
		s.Notes = append(s.Notes[:len(s.Notes):len(s.Notes)], lockedBy(o))
	}
	if o.Stored {
		s.RecordID, s.ExpiresAt = r.ID(), r.ExpiresAt
	}
	return s
}

// ignoredNote says how many differences each rule ignores.
func ignoredNote(uses []ignore.Use) string {
	var list []string
	for _, u := range uses {
		if u.Differences > 0 {
			list = append(list, fmt.Sprintf("`%s` %d", u.Rule, u.Differences))
		}
	}
	return "Ignored: " + strings.Join(list, ", ") + "."
}

func lockedBy(o plan.Outcome) string {
	return fmt.Sprintf("Locked by pull request #%d since %s: this plan can't be applied until that pull request is applied, closed, or gets the label %s. Then plan again.",
		o.LockedBy.PullRequest, o.LockedBy.Since.UTC().Format("2006-01-02 15:04 UTC"), pulls.UnlockLabel)
}

// undiagnosed returns the errors that no diagnostic explains. If diagnostics explain the error, it
// returns only the error's code.
func undiagnosed(o plan.Outcome) (message string, code problem.Code) {
	var messages []string
	switch {
	case o.Err == nil:
	case len(o.Diagnostics) > 0:
		code = problem.CodeOf(o.Err)
	default:
		messages = append(messages, problem.Text(o.Err))
	}
	if o.Trouble != nil {
		messages = append(messages, problem.Text(o.Trouble))
	}
	return strings.Join(messages, "\n\n"), code
}

// dependsOn names the targets that this one depends on. In the same stack, the component is enough.
func dependsOn(o plan.Outcome) (names []string) {
	for _, n := range o.DependsOn {
		if n.Stack == o.Name.Stack {
			names = append(names, n.Component)
		} else {
			names = append(names, n.String())
		}
	}
	return names
}

func nameList(list []inventory.Name) (all []string) {
	for _, n := range list {
		all = append(all, n.String())
	}
	return all
}

func applyHow(o plan.Outcome) string {
	switch {
	case o.LockedBy != nil:
		return "This plan can't be applied while another pull request holds the lock."
	case o.Store == nil:
		return "This planfile was not stored (plan-storage: false), so it can't be applied."
	case o.Rules.Denied():
		return "The policies deny this plan: the apply evaluates those that are merged, and refuses what they deny."
	case o.Record.PullRequest > 0:
		where := "the apply workflow's environment"
		if o.Environment != "" {
			where = "the environment `" + o.Environment + "`"
		}
		return "When this pull request is merged, exactly this planfile is applied, in " + where + ". Its reviewers, if it has any, approve first."
	default:
		return "The apply action applies exactly this planfile, for this commit."
	}
}
