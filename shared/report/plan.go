// Package report writes Markdown for people: what a plan would do, what an apply did, and what
// drifted.
//
// A report begins with the one line that matters and with what is dangerous, then gets more
// detailed. To fit a limit it leaves out the least important details, and says so. Text from
// outside (names, values, errors) is shown as code, in which GitHub interprets nothing: see
// [markdown.Text], [markdown.Code] and [markdown.Fence].
package report

import (
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/planned"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Plan is what the summary of a plan is made from.
type Plan struct {
	Subject
	// Changes is what the plan would do; nil if planning failed.
	Changes     *changes.Plan
	Diagnostics []terraform.Diagnostic
	// Error is why planning failed, if no diagnostic says so. If there are Changes, it is what
	// failed after the plan.
	Error string
	// Code is the code of a failure that diagnostics explain.
	Code problem.Code
	// Waits are targets that must be applied before this one can be planned. Then the plan
	// itself did nothing wrong.
	Waits     []string
	DependsOn []string // other components that must be applied first
	Rules     Rules
	// ApplyHow says who applies the plan and how, in a sentence or two.
	ApplyHow string
}

// Markdown is the summary in at most limit bytes, such as [markdown.SummaryLimit].
func (p Plan) Markdown(limit int) string {
	if p.Changes == nil || p.Changes.Errored {
		return p.failed().Markdown(limit)
	}
	c := p.Changes
	p.Rules.advise = true
	d := markdown.Document{Rest: p.rest(), Title: p.title("Plan for " + p.name())}
	switch {
	case p.Rules.denied() && p.Rules.Override == nil:
		d.Title = p.title("⛔ Policies deny the plan for " + p.name())
	case p.Destroy && c.Counts.Any():
		d.Title = p.title("PLAN TO DESTROY " + p.name())
	}
	d.Line = planned.Headline(c) + "\n\n"
	if !c.Counts.Any() && c.Counts.Deferred+c.DeferredInvocations == 0 {
		d.Line = "**No changes.** The infrastructure matches the configuration: there is nothing to apply.\n\n"
		switch {
		case !c.Complete:
			d.Line = "**No changes in this partial plan.** What it leaves out (`-target`, `-exclude`, or deferred changes) was not compared.\n\n"
		case c.Outside() > 0:
			d.Line = "**Nothing to apply.** " + markdown.Count(c.Outside(), "resource") + " changed outside Terraform, and the configuration does not contradict that.\n\n"
		}
	}
	b := planned.Builder{Room: limit, Plan: c}
	errors, warnings := diagnostics(p.Diagnostics)
	failed, unknown := planned.Checks(c)
	d.Add(p.trouble(p.Error))
	d.Add(p.Rules.parts(p.Subject)...)
	d.Add(p.scope(), planned.Unknown(c), planned.Danger(c), errors, failed, p.notes(b.Notes()...), planned.Types(c))
	for _, g := range planned.Groups {
		d.Add(b.Group(g))
	}
	d.Add(b.Invocations(), planned.Outputs(c), p.built(), b.Drift(), b.Deferred(), b.DeferredInvocations(), unknown, warnings, p.reproduce())

	var more []string
	if len(p.DependsOn) > 0 {
		more = append(more, "Depends on: "+markdown.Codes(p.DependsOn))
	}
	// The summary of many targets says once for all of a pull request what happens after its merge.
	if p.ApplyHow != "" && c.Counts.Any() && (p.run == nil || p.run.PullRequest == 0) {
		d.Foot = "**To apply:** " + markdown.Text(markdown.Clip(p.ApplyHow, 4*markdown.MaxName))
		if !p.ExpiresAt.IsZero() {
			d.Foot += " The plan expires on " + stamp(p.ExpiresAt) + "."
		}
		d.Foot += "\n\n"
	}
	d.Foot += p.planAgain() + p.foot("About this plan", append(more, p.Rules.foot()...)...)
	return d.Markdown(limit)
}

// Part is the report as a part of the summary of a run.
func (p Plan) Part(run Subject, limit int) string {
	p.run = &run
	return p.Markdown(limit)
}

// title is the heading, and what the pull request changes about the rules.
func (p Plan) title(text string) string {
	return "## " + text + "\n\n" + p.link() + p.draft() + p.Rules.changed(p.Subject) + p.cautions()
}

// rest says where the details are. Terraform's log has only names.
func (p Plan) rest() string {
	return p.Subject.rest(" names everything. The plan as JSON has every detail: the input `keep-plan-files` of the plan action keeps it.")
}

// failed is the report of a plan that failed.
func (p Plan) failed() markdown.Document {
	p.RecordID, p.ExpiresAt = "", time.Time{} // nothing of it can be applied
	d := markdown.Document{Rest: p.rest(), Title: p.heading("❌ Plan failed for " + p.name())}
	if len(p.Waits) > 0 {
		return p.waiting(d)
	}
	errors, warnings := diagnostics(p.Diagnostics)
	d.Line = "**The plan failed.** Nothing can be applied until it succeeds."
	if n := len(errors.Items); n > 0 {
		d.Line = "**The plan failed with " + markdown.Count(n, "error") + ".** Nothing can be applied until it succeeds."
	}
	if p.Code != "" {
		d.Line += " " + markdown.ErrorCode(p.Code)
	}
	d.Line += "\n\n"
	d.Add(p.why(p.Error), errors, p.notes(), warnings, p.reproduce())
	d.Foot = p.planAgain() + p.foot("About this plan")
	return d
}

// waiting is the report of a plan that must wait for another target's apply.
func (p Plan) waiting(d markdown.Document) markdown.Document {
	errors, _ := diagnostics(p.Diagnostics)
	d.Title = p.heading("⏳ Not planned yet: " + p.name())
	d.Line = "**It can be planned once " + markdown.Codes(p.Waits) + " is applied:** it reads values that the same change creates.\n\n"
	d.Add(markdown.Alert(markdown.RankAlert, "IMPORTANT", "what happens next", "**What happens next**", []string{
		"After the merge, the targets that it waits for are applied.",
		"With " + markdown.Code("verification: replan") + ", the same run then plans this target, and applies that plan if it only creates resources and the state is new. Nobody has reviewed that plan.",
		"Otherwise plan the merged commit, review that plan, and apply it: the workflow " + markdown.Code("examples/plan-merged.yml") + " does this.",
	}), errors, p.notes())
	d.Foot = p.planAgain() + p.foot("About this plan")
	return d
}
