package report

import (
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Drift is what the report of a drift plan is made from: where what runs
// differs from what Git says.
type Drift struct {
	Subject
	Drifted bool
	// Changes is what the plan would do; nil when planning failed.
	Changes *changes.Plan
	// RefreshOnly says that the plan compared what runs with what Terraform last
	// applied, and not with Git.
	RefreshOnly bool
	Diagnostics []terraform.Diagnostic
	// Error is why planning failed where no diagnostic says so.
	Error string
	// Next says what can be done about the drift, in a sentence or two.
	Next string
}

// Markdown is the job summary in at most limit bytes, such as [SummaryLimit].
func (d Drift) Markdown(limit int) string {
	doc := d.document(limit)
	switch {
	case d.Changes == nil:
		doc.title = "## ❌ Drift plan failed for " + d.name() + "\n\n"
	case d.Drifted:
		doc.title = "## Drift in " + d.name() + "\n\n"
		if d.Next != "" {
			doc.foot = "**What to do:** " + Text(clip(d.Next, 4*maxName)) + "\n\n"
		}
	case !d.Changes.Complete:
		doc.title = "## No drift in the part of " + d.name() + " that was planned\n\n"
	default:
		doc.title = "## ✅ No drift in " + d.name() + "\n\n"
	}
	doc.title += d.cautions()
	doc.foot += d.foot("About this drift plan")
	return doc.markdown(limit)
}

// Section is what an issue says of the drift, or of why the planning failed, in
// at most limit bytes: without a heading, and without what is about the run and
// the plan record. Two runs that find the same drift have the same, but for what
// providers count or time; [changes.Plan.Visible] says whether it is the same.
func (d Drift) Section(limit int) string {
	d.Notes = nil
	d.Rest = "The summary of the run that found it has more."
	doc := d.document(limit)
	doc.title = d.cautions()
	return doc.markdown(limit)
}

// document is the report without its title and foot. limit is the room for it.
func (d Drift) document(limit int) document {
	doc := document{rest: d.rest(" names everything.")}
	errors, warnings := diagnostics(d.Diagnostics)
	if d.Changes == nil {
		doc.line = "**The drift plan failed.** Whether what runs is what Git says is not known.\n\n"
		if d.Error != "" {
			doc.add(&part{name: "error", rank: rankError, title: paragraphs(clip(d.Error, 2*maxValue), d.text)})
		}
		doc.add(errors, d.notes(), warnings)
		return doc
	}
	c := d.Changes
	doc.line = d.line() + "\n\n"
	b := builder{room: limit, plan: c, compare: withGit, unfolded: len(c.Resources)+c.Omitted+c.Counts.Drift <= unfoldAt}
	failed, unknown := checks(c)
	doc.add(danger(c), errors, failed, d.notes(b.notes()...))
	if len(c.Resources)+c.Omitted > foldAt {
		doc.add(types(c))
	}
	for _, g := range driftGroups {
		doc.add(b.group(g))
	}
	b.compare = withLast
	doc.add(outputs(c), d.built(), b.drift(), b.deferred(), unknown, warnings)
	return doc
}

// line is the one line of what drifted.
func (d Drift) line() string {
	n := d.Changes.Counts
	outside := count(n.Drift, "resource") + " changed outside Terraform"
	switch {
	case d.RefreshOnly && d.Drifted:
		switch {
		case n.Drift == 0:
			outside = count(n.Outputs, "output") + " changed outside Terraform"
		case n.Outputs > 0:
			outside += ", and " + count(n.Outputs, "output")
		}
		return "**" + outside + ".** This compares what runs with what Terraform last applied, and not with Git."
	case d.RefreshOnly:
		return "**No drift.** What runs is what Terraform last applied. Git was not compared."
	case d.Drifted:
		return "**What runs is not what Git says.** To bring it back: " + headline(d.Changes)
	case !d.Changes.Complete:
		return "**No drift in this partial plan.** What it left out was not compared."
	case n.Drift > 0:
		return "**No drift.** " + outside + ", and Git leaves that as it is."
	}
	return "**No drift.** What runs is what Git says."
}
