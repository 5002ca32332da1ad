package report

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Status is what became of a target in one run.
type Status string

// How an apply ended; a plan can fail or find no changes, too.
const (
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Refused   Status = "refused"    // nothing was touched
	NoChanges Status = "no-changes" // nothing was to be done
)

// What else can become of one of many targets, for an [Entry].
const (
	Planned  Status = "planned"  // an apply would do something
	Blocked  Status = "blocked"  // not tried, since a target that it depends on was not applied
	Waiting  Status = "waiting"  // to be planned once a target that it depends on is applied
	Selected Status = "selected" // to be planned by another job
	Skipped  Status = "skipped"  // left out, as its settings ask for
	Deleted  Status = "deleted"  // it is no longer in Git
)

// Apply is what the summary of an apply is made from. Its Subject is that of
// the plan record, with the digest of the planfile that was reviewed; but
// RunURL and Actor are the apply's own.
type Apply struct {
	Subject
	Status Status
	// Error is what failed, or why it was refused, in plain words.
	Error string
	// Differs names what is not as it was reviewed, such as files, a line each.
	Differs []string
	// Now is what a plan that was made anew would do, where it differs from the
	// reviewed one.
	Now *changes.Plan
	// NextSteps are what to do now, a sentence each.
	NextSteps []string

	// Planned is what the plan was to do.
	Planned     changes.Counts
	Resources   []terraform.ResourceResult
	Outputs     []terraform.Output
	Diagnostics []terraform.Diagnostic
	// Verification says what was compared before applying, in a sentence; Unverified
	// what was not, and can't be.
	Verification, Unverified string
	// ErroredState is set when Terraform could not save its state.
	ErroredState *ErroredState
}

// ErroredState is a state that Terraform could not save to its backend, and
// that was stored elsewhere instead.
type ErroredState struct {
	StoredAt string   // where it is, such as an s3:// URL or a path
	Commands []string // what saves it to the backend, a shell line each
}

// Markdown is the summary in at most limit bytes, such as [SummaryLimit].
func (a Apply) Markdown(limit int) string {
	d := document{rest: a.rest(" has all of it.")}
	failed, rest, done := a.results()
	switch a.Status {
	case Succeeded:
		d.title = "## ✅ Applied " + a.name() + "\n\n"
		d.line = "**" + done.line(a.Planned) + "**\n\n"
	case Planned:
		d.title = "## To be applied: " + a.name() + "\n\n"
		d.line = headline(&changes.Plan{Counts: a.Planned}) + "\n\n" +
			"To approve is to approve this planfile, and no other: SHA-256 " + Code(clip(a.Digest, maxName)) + ".\n\n"
		if a.BuiltDigest != "" {
			d.line += "Files that were built for the plan travel with it, " + Size(a.BuiltSize) + " packed: SHA-256 " + Code(clip(a.BuiltDigest, maxName)) +
				". The plan's summary lists them. Git does not have them, so nothing compares them with what was reviewed.\n\n"
		}
	case NoChanges:
		d.title = "## ✅ Nothing to apply for " + a.name() + "\n\n"
		d.line = "**No changes.** The reviewed plan changes nothing, so Terraform did not run.\n\n"
	case Refused:
		d.title = "## ⛔ Not applied: " + a.name() + "\n\n"
		d.line = "**Refused.** Nothing was changed.\n\n"
	default:
		d.title = "## ❌ Apply failed for " + a.name() + "\n\n"
		d.line = "**The apply failed.** " + done.line(changes.Counts{})
		if done.failed > 0 {
			d.line += " " + comma(done.failed) + " failed."
		}
		if done.unfinished > 0 {
			d.line += " " + comma(done.unfinished) + " not finished."
		}
		d.line += "\n\n"
	}

	errors, warnings := diagnostics(a.Diagnostics)
	d.add(a.errored(), a.scope(), a.why(), a.differs(), errors, a.next())
	d.add(now(a.Now, limit)...)
	d.add(failed, rest, a.outputs(), a.notes(), a.built(), warnings)

	if a.Verification != "" {
		d.foot = "**Verified:** " + Text(clip(a.Verification, 4*maxName)) + "\n\n"
	}
	if a.Unverified != "" {
		d.foot += "**Not verified:** " + Text(clip(a.Unverified, 16*maxName)) + "\n\n"
	}
	d.foot += a.foot("About this apply")
	return d.markdown(limit)
}

// why is the error, as prose.
func (a Apply) why() *part {
	if a.Error == "" {
		return nil
	}
	return &part{name: "the error", rank: rankAlert, title: paragraphs(clip(a.Error, 2*maxValue), a.text)}
}

// next is the alert with what to do.
func (a Apply) next() *part {
	if len(a.NextSteps) == 0 {
		return nil
	}
	return alert(rankAlert, "IMPORTANT", "next steps", "**What to do next**", a.texts(a.NextSteps))
}

// differs lists what is not as it was reviewed.
func (a Apply) differs() *part {
	if len(a.Differs) == 0 {
		return nil
	}
	p := &part{name: "differences", rank: rankError, title: "**Not as reviewed:**\n\n", close: "\n"}
	for _, s := range a.Differs {
		line := clip(s, 4*maxName)
		p.items = append(p.items, item{full: "- " + Code(line) + "\n"})
	}
	return p
}

// now are the parts on what a new plan would do, under a heading of their own.
// limit is the room for them.
func now(c *changes.Plan, limit int) []*part {
	if c == nil {
		return nil
	}
	line := headline(c)
	if !c.Counts.Any() && c.Counts.Deferred == 0 {
		line = "**Nothing.** The configuration and what runs agree."
		if !c.Complete {
			line = "**Nothing in this partial plan.** What it left out was not compared."
		}
	}
	parts := []*part{{name: "what it would do now", rank: rankAlert, title: "## What it would do now\n\n" + line + "\n\n"}, danger(c)}
	b := builder{room: limit, plan: c}
	for _, g := range groups {
		parts = append(parts, b.group(g))
	}
	return append(parts, outputs(c), b.drift(), b.deferred())
}

// errored is the alert about a state that Terraform could not save, with the
// way back.
func (a Apply) errored() *part {
	if a.ErroredState == nil {
		return nil
	}
	p := alert(rankAlert, "CAUTION", "the state that was not saved",
		"**Terraform could not save the state of what it changed.** It is not lost: it was stored at "+
			Code(clip(a.ErroredState.StoredAt, 4*maxName))+". Push it back before anything else runs for this target:", nil)
	p.title = p.open + p.close + Fence("sh", strings.Join(a.ErroredState.Commands, "\n")) + "\n"
	p.open, p.close = "", ""
	return p
}

// tally is what an apply did, in numbers of resources.
type tally struct{ added, changed, destroyed, failed, unfinished int }

// line is the tally in Terraform's words, with what only the plan knows of.
func (t tally) line(planned changes.Counts) string {
	out := comma(t.added) + " added, " + comma(t.changed) + " changed, " + comma(t.destroyed) + " destroyed"
	for _, m := range []struct {
		n    int
		what string
	}{{planned.Import, "imported"}, {planned.Move, "moved"}, {planned.Forget, "forgotten"}} {
		if m.n > 0 {
			out += ", " + comma(m.n) + " " + m.what
		}
	}
	return out + "."
}

// results are the tables of what was done: what failed or was cut short, open,
// and the rest. The address comes last, since a phone shows only the first columns.
func (a Apply) results() (failed, done *part, t tally) {
	table := func(name string, r rank) *part {
		return &part{name: name, rank: r, open: "| Result | Took | Resource |\n| :-- | --: | :-- |\n", close: "\n"}
	}
	failed = table("what failed", rankError)
	done = table("what was done", rankChange)
	for _, r := range a.Resources {
		p, result, took := done, Cell(clip(r.Action, maxName))+" done", r.Elapsed.String()
		switch {
		case r.Status == terraform.Failed:
			p, result = failed, "**failed** to "+Cell(clip(r.Action, maxName))
			t.failed++
		case r.Status == terraform.Unfinished:
			p, result, took = failed, "**not finished**: "+Cell(clip(r.Action, maxName)), ""
			t.unfinished++
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
		address := clip(r.Address, maxName)
		p.items = append(p.items, item{
			full:  "| " + result + " | " + took + " | " + Cell(address) + " |\n",
			brief: string(appendVisible(nil, address, inline)),
		})
	}
	if n := len(failed.items); n > 0 {
		failed.title = "### Not done: " + comma(n) + "\n\n"
	}
	if n := len(done.items); n > 0 {
		done.title = "### Done: " + comma(n) + "\n\n"
		if n > foldAt {
			done.open = "<details><summary>Show all</summary>\n\n" + done.open
			done.close += "</details>\n\n"
		}
	}
	return failed, done, t
}

// outputs is the table of output values; sensitive ones are not shown.
func (a Apply) outputs() *part {
	if len(a.Outputs) == 0 {
		return nil
	}
	p := &part{name: "outputs", rank: rankOutput, title: "### Outputs: " + comma(len(a.Outputs)) + "\n\n",
		open: "| Output | Value |\n| :-- | :-- |\n", close: "\n"}
	sorted := slices.SortedFunc(slices.Values(a.Outputs), func(x, y terraform.Output) int { return strings.Compare(x.Name, y.Name) })
	for _, o := range sorted {
		p.items = append(p.items, item{
			full:  "| " + Cell(clip(o.Name, maxName)) + " | " + Cell(outputValue(o)) + " |\n",
			brief: string(appendVisible(nil, clip(o.Name, maxName), inline)),
		})
	}
	return p
}

// outputValue is a string as it is, any other value as JSON, and nothing of a
// sensitive one.
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
	return clip(s, most)
}
