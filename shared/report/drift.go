package report

import (
	"slices"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/planned"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Drift is what the report of a drift plan is made from: how the infrastructure differs from
// Git.
type Drift struct {
	Subject
	Drifted bool
	// Changes is what the plan would do; nil if planning failed.
	Changes *changes.Plan
	// RefreshOnly: the plan compared the infrastructure with what Terraform last applied, not
	// with Git.
	RefreshOnly bool
	Diagnostics []terraform.Diagnostic
	// Error is why planning failed, if no diagnostic says so, or what failed after the plan.
	// Code is the code of a failure that diagnostics explain.
	Error string
	Code  problem.Code
	Rules Rules
	// Next says what to do about the drift, in a sentence or two.
	Next string
}

// Markdown is the job summary in at most limit bytes, such as [markdown.SummaryLimit].
func (d Drift) Markdown(limit int) string {
	doc := d.document(limit)
	doc.Parts = append(slices.DeleteFunc(d.Rules.parts(d.Subject), func(p *markdown.Part) bool { return p == nil }), doc.Parts...)
	switch {
	case d.Changes == nil:
		d.RecordID, d.ExpiresAt = "", time.Time{}
		doc.Title = "❌ Drift plan failed for " + d.name()
	case d.Drifted:
		doc.Title = "Drift in " + d.name()
		if d.Next != "" {
			doc.Foot = "**What to do:** " + markdown.Text(markdown.Clip(d.Next, 4*markdown.MaxName)) + "\n\n"
		}
	case !d.Changes.Complete:
		doc.Title = "No drift in the part of " + d.name() + " that was planned"
	default:
		doc.Title = "✅ No drift in " + d.name()
	}
	doc.Title = d.heading(doc.Title)
	doc.Foot += d.foot("About this drift plan")
	return doc.Markdown(limit)
}

// Part is the report as a part of the summary of a run.
func (d Drift) Part(run Subject, limit int) string {
	d.run = &run
	return d.Markdown(limit)
}

// Section is what an issue says about the drift, or why the planning failed, in at most limit
// bytes. It has no heading, and nothing about the run and the plan record. Two runs that find
// the same drift have the same section, except for what providers count or time;
// [changes.Plan.Visible] says whether it is the same.
func (d Drift) Section(limit int) string {
	d.Notes, d.Unknown = nil, nil
	d.Rest = "The summary of the run that found it has more."
	doc := d.document(limit)
	doc.Title = d.cautions()
	return doc.Markdown(limit)
}

// document is the report without its title and foot, for at most limit bytes.
func (d Drift) document(limit int) markdown.Document {
	doc := markdown.Document{Rest: d.rest(" names everything.")}
	errors, warnings := diagnostics(d.Diagnostics)
	if d.Changes == nil {
		doc.Line = "**The drift plan failed.** Whether the infrastructure matches Git is not known."
		if d.Code != "" {
			doc.Line += " " + markdown.ErrorCode(d.Code)
		}
		doc.Line += "\n\n"
		doc.Add(d.why(d.Error), errors, d.notes(), warnings, d.reproduce())
		return doc
	}
	c := d.Changes
	doc.Line = d.line() + "\n\n"
	b := planned.Builder{Room: limit, Plan: c, Compare: planned.WithGit, Unfolded: len(c.Resources)+c.Omitted+c.Outside() <= planned.UnfoldAt}
	failed, unknown := planned.Checks(c)
	doc.Add(d.trouble(d.Error), planned.Unknown(c), planned.Danger(c), errors, failed, d.notes(b.Notes()...), planned.Types(c))
	for _, g := range planned.DriftGroups {
		doc.Add(b.Group(g))
	}
	var ignored *markdown.Part
	if d.RefreshOnly {
		b.Compare = planned.WithLast
		ignored = b.Ignored("These differences are no drift.")
	} else {
		ignored = b.Ignored("These differences are no drift. **The plan would change them, too.**")
		b.Compare = planned.WithLast
	}
	doc.Add(b.Invocations(), planned.Outputs(c), d.built(), b.Drift(), b.Deferred(), b.DeferredInvocations(), unknown, ignored, warnings, d.reproduce())
	return doc
}

// line says in one line what drifted.
func (d Drift) line() string {
	n := d.Changes.Shown()
	ignored := d.Changes.Ignored.Differences()
	outside := markdown.Count(n.Drift, "resource") + " changed outside Terraform"
	switch {
	case ignored > 0 && !d.Drifted:
		return "**No drift.** " + markdown.Count(ignored, "difference") + " ignored (`drift.ignore`)."
	case d.RefreshOnly && d.Drifted:
		switch {
		case n.Drift == 0:
			outside = markdown.Count(n.Outputs, "output") + " changed outside Terraform"
		case n.Outputs > 0:
			outside += ", and " + markdown.Count(n.Outputs, "output")
		}
		if ignored > 0 {
			outside += " · " + markdown.Count(ignored, "difference") + " ignored"
		}
		return "**" + outside + ".** The infrastructure was compared with what Terraform last applied, not with Git."
	case d.RefreshOnly:
		return "**No drift.** The infrastructure is as Terraform last applied it. Git was not compared."
	case d.Drifted:
		return "**Infrastructure differs from Git.** To restore it: " + planned.Headline(d.Changes)
	case !d.Changes.Complete:
		return "**No drift in this partial plan.** What it leaves out was not compared."
	case n.Drift > 0:
		return "**No drift.** " + outside + ", and Git does not contradict that."
	}
	return "**No drift.** The infrastructure matches Git."
}
