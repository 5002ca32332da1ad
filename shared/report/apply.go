package report

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/planned"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Status is what happened to a target in one run.
type Status string

// How an apply ended. A plan can also fail or find no changes.
const (
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Refused   Status = "refused"    // nothing was touched
	NoChanges Status = "no-changes" // nothing was to be done
)

// What else can happen to one of many targets, for an [Entry].
const (
	Planned  Status = "planned"  // an apply would do something
	Blocked  Status = "blocked"  // not tried, since a target that it depends on was not applied
	Waiting  Status = "waiting"  // to be planned once a target that it depends on is applied
	Selected Status = "selected" // to be planned by another job
	Denied   Status = "denied"   // planned, and the policies forbid to apply that
	Skipped  Status = "skipped"  // left out, as its settings ask for
	Deleted  Status = "deleted"  // it is no longer in Git
)

// Apply is what the summary of an apply is made from. Its Subject describes the plan record and
// the reviewed planfile; only RunURL and Actor are those of the apply.
type Apply struct {
	Subject
	Status Status
	// Error is what failed, or why the apply was refused, in plain words.
	Error string
	// Differs lists what is not as it was reviewed, such as files.
	Differs []string
	// Now is what a new plan would do, if that differs from the reviewed plan.
	Now *changes.Plan
	// NextSteps are what to do next, a sentence each.
	NextSteps []string

	// Planned is what the plan was going to do.
	Planned     changes.Counts
	Resources   []terraform.ResourceResult
	Outputs     []terraform.Output
	Diagnostics []terraform.Diagnostic
	// Verification says what was compared before the apply, in a sentence. Unverified says what
	// could not be compared.
	Verification, Unverified string
	// ErroredState is set if Terraform could not save its state.
	ErroredState *ErroredState
	// Rules are what policies and approvals say of the plan that is applied.
	Rules Rules
}

// ErroredState is a state that Terraform could not save to its backend, and that was stored
// elsewhere.
type ErroredState struct {
	StoredAt string   // where it is, such as an s3:// URL or a path
	Commands []string // what saves it to the backend, a shell line each
}

// Markdown is the summary in at most limit bytes, such as [markdown.SummaryLimit].
func (a Apply) Markdown(limit int) string {
	d := markdown.Document{Rest: a.rest(" has all of it.")}
	failed, rest, done := a.results()
	switch a.Status {
	case Succeeded:
		d.Title = "✅ Applied " + a.name()
		if a.Destroy {
			d.Title = "✅ DESTROYED " + a.name()
		}
		d.Line = "**" + done.line(a.Planned) + "**\n\n"
	case Planned:
		d.Title = "To be applied: " + a.name()
		if a.Destroy {
			d.Title = "TO BE DESTROYED: " + a.name()
		}
		d.Line = planned.Headline(&changes.Plan{Counts: a.Planned}) + "\n\n"
		if a.run == nil {
			d.Line += "Approving applies exactly this planfile, and no other: SHA-256 " + markdown.Code(markdown.Prefix(a.Digest, 12)) + ", in full below.\n\n"
		}
		if a.BuiltDigest != "" {
			d.Line += "Files that were built for the plan are applied with it, " + markdown.Size(a.BuiltSize) + " packed: SHA-256 " + markdown.Code(markdown.Prefix(a.BuiltDigest, 12)) +
				", in full below. The plan's summary lists them. They are not in Git, so nothing compares them with what was reviewed.\n\n"
		}
	case NoChanges:
		d.Title = "✅ Nothing to apply for " + a.name()
		d.Line = "**No changes.** The reviewed plan changes nothing, so Terraform did not run.\n\n"
	case Refused:
		d.Title = "⛔ Not applied: " + a.name()
		d.Line = "**Refused.** Nothing was changed.\n\n"
	default:
		d.Title = "❌ Apply failed for " + a.name()
		d.Line = "**The apply failed.** " + done.line(changes.Counts{})
		if done.failed > 0 {
			d.Line += " " + markdown.Comma(done.failed) + " failed."
		}
		if done.unfinished > 0 {
			d.Line += " " + markdown.Comma(done.unfinished) + " not finished."
		}
		if done.notStarted > 0 {
			d.Line += " " + markdown.Comma(done.notStarted) + " not started."
		}
		d.Line += "\n\n"
	}

	d.Title = a.heading(d.Title)
	errors, warnings := diagnostics(a.Diagnostics)
	d.Add(a.errored(), a.scope(), a.why(a.Error), a.differs(), errors, a.next())
	d.Add(a.Rules.parts(a.Subject)...)
	d.Add(now(a.Now, limit)...)
	d.Add(failed, rest, a.outputs(), a.notes(), a.built(), warnings)

	if a.Verification != "" {
		d.Foot = "**Verified:** " + markdown.Text(markdown.Clip(a.Verification, 4*markdown.MaxName)) + "\n\n"
	}
	if a.Unverified != "" {
		d.Foot += "**Not verified:** " + markdown.Text(markdown.Clip(a.Unverified, 16*markdown.MaxName)) + "\n\n"
	}
	d.Foot += a.foot("About this apply", a.Rules.foot()...)
	return d.Markdown(limit)
}

// Part is the report as a part of the summary of a run.
func (a Apply) Part(run Subject, limit int) string {
	a.run = &run
	return a.Markdown(limit)
}

// next is the alert with what to do next.
func (a Apply) next() *markdown.Part {
	if len(a.NextSteps) == 0 {
		return nil
	}
	return markdown.Alert(markdown.RankAlert, "IMPORTANT", "next steps", "**What to do next**", a.texts(a.NextSteps))
}

// differs lists what is not as it was reviewed.
func (a Apply) differs() *markdown.Part {
	if len(a.Differs) == 0 {
		return nil
	}
	p := &markdown.Part{Name: "differences", Rank: markdown.RankError, Title: "**Differences from the reviewed plan:**\n\n", Close: "\n"}
	for _, s := range a.Differs {
		line := markdown.Clip(s, 4*markdown.MaxName)
		p.Items = append(p.Items, markdown.Item{Full: "- " + markdown.Code(line) + "\n"})
	}
	return p
}

// now returns the parts about what a new plan would do, with a heading of their own, for at
// most limit bytes.
func now(c *changes.Plan, limit int) []*markdown.Part {
	if c == nil {
		return nil
	}
	line := planned.Headline(c)
	if !c.Counts.Any() && c.Counts.Deferred+c.DeferredInvocations == 0 {
		line = "**Nothing.** The infrastructure matches the configuration."
		if !c.Complete {
			line = "**Nothing in this partial plan.** What it leaves out was not compared."
		}
	}
	parts := []*markdown.Part{{Name: "what it would do now", Rank: markdown.RankAlert, Title: "## What it would do now\n\n" + line + "\n\n"}, planned.Danger(c)}
	b := planned.Builder{Room: limit, Plan: c}
	for _, g := range planned.Groups {
		parts = append(parts, b.Group(g))
	}
	return append(parts, planned.Unknown(c), b.Invocations(), planned.Outputs(c), b.Drift(), b.Deferred(), b.DeferredInvocations())
}

// errored is the alert about a state that Terraform could not save, with the commands that save
// it.
func (a Apply) errored() *markdown.Part {
	if a.ErroredState == nil {
		return nil
	}
	p := markdown.Alert(markdown.RankAlert, "CAUTION", "the state that was not saved",
		"**Terraform could not save the state of what it changed.** It is not lost: it was stored at "+
			markdown.Code(markdown.Clip(a.ErroredState.StoredAt, 4*markdown.MaxName))+". Push it to the backend before anything else runs for this target:", nil)
	p.Title = p.Open + p.Close + markdown.Fence("sh", strings.Join(a.ErroredState.Commands, "\n")) + "\n"
	p.Open, p.Close = "", ""
	return p
}

// tally is how many resources an apply added, changed and destroyed.
type tally struct{ added, changed, destroyed, failed, unfinished, notStarted int }

// line is the tally in Terraform's words. What is imported, moved and forgotten is taken from
// the plan.
func (t tally) line(planned changes.Counts) string {
	var out []string
	for _, m := range []struct {
		n    int
		what string
	}{
		{t.added, "added"}, {t.changed, "changed"}, {t.destroyed, "destroyed"},
		{planned.Import, "imported"}, {planned.Move, "moved"}, {planned.Forget, "forgotten"},
	} {
		if m.n > 0 {
			out = append(out, markdown.Comma(m.n)+" "+m.what)
		}
	}
	if planned.Outputs > 0 {
		out = append(out, markdown.Count(planned.Outputs, "output")+" changed")
	}
	if len(out) == 0 {
		return "No resource was changed."
	}
	return strings.Join(out, ", ") + "."
}

// results returns the table of what failed, did not finish or did not start, which is open, and the
// table of the rest. The address is the last column, since a phone shows only the first ones.
func (a Apply) results() (failed, done *markdown.Part, t tally) {
	table := func(name string, r markdown.Rank) *markdown.Part {
		return &markdown.Part{Name: name, Rank: r, Open: "| Result | Took | Resource |\n| :-- | --: | :-- |\n", Close: "\n"}
	}
	failed = table("what failed", markdown.RankError)
	done = table("what was done", markdown.RankChange)
	for _, r := range a.Resources {
		p, result, took := done, markdown.Cell(markdown.Clip(r.Action, markdown.MaxName))+" done", r.Elapsed.String()
		switch {
		case r.Status == terraform.Failed:
			p, result = failed, "**failed** to "+markdown.Cell(markdown.Clip(r.Action, markdown.MaxName))
			t.failed++
		case r.Status == terraform.Unfinished:
			p, result, took = failed, "**not finished**: "+markdown.Cell(markdown.Clip(r.Action, markdown.MaxName)), ""
			t.unfinished++
		case r.Status == terraform.NotStarted:
			p, result, took = failed, "**not started**: "+markdown.Cell(markdown.Clip(r.Action, markdown.MaxName)), ""
			t.notStarted++
		case r.Action == "create":
			result = "created"
			t.added++
		case r.Action == "update":
			result = "changed"
			t.changed++
		case r.Action == "delete":
			result = "destroyed"
			t.destroyed++
		}
		address := markdown.Clip(r.Address, markdown.MaxName)
		p.Items = append(p.Items, markdown.Item{
			Full:  "| " + result + " | " + took + " | " + markdown.Cell(address) + " |\n",
			Brief: string(markdown.AppendVisible(nil, address, markdown.Inline)),
		})
	}
	if n := len(failed.Items); n > 0 {
		failed.Title = "### Not done: " + markdown.Comma(n) + "\n\n"
	}
	if n := len(done.Items); n > 0 {
		done.Title = "### Done: " + markdown.Comma(n) + "\n\n"
		if n > planned.FoldAt {
			done.Open = "<details><summary>Show all</summary>\n\n" + done.Open
			done.Close += "</details>\n\n"
		}
	}
	return failed, done, t
}

// outputs is the table of output values, without sensitive ones.
func (a Apply) outputs() *markdown.Part {
	if len(a.Outputs) == 0 {
		return nil
	}
	p := &markdown.Part{Name: "outputs", Rank: markdown.RankOutput, Title: "### Outputs: " + markdown.Comma(len(a.Outputs)) + "\n\n",
		Open: "| Output | Value |\n| :-- | :-- |\n", Close: "\n"}
	sorted := slices.SortedFunc(slices.Values(a.Outputs), func(x, y terraform.Output) int { return strings.Compare(x.Name, y.Name) })
	for _, o := range sorted {
		p.Items = append(p.Items, markdown.Item{
			Full:  "| " + markdown.Cell(markdown.Clip(o.Name, markdown.MaxName)) + " | " + markdown.Cell(outputValue(o)) + " |\n",
			Brief: string(markdown.AppendVisible(nil, markdown.Clip(o.Name, markdown.MaxName), markdown.Inline)),
		})
	}
	return p
}

// outputValue is a string as it is, any other value as JSON, and nothing of a sensitive one.
func outputValue(o terraform.Output) string {
	const most = 500 // bytes: more does not fit a table on a screen
	if o.Sensitive {
		return "(sensitive)"
	}
	if len(o.Value) == 0 {
		return "(unknown)"
	}
	var s string
	if o.Value[0] != '"' || json.Unmarshal(o.Value, &s) != nil {
		s = string(o.Value)
	}
	return markdown.Clip(s, most)
}
