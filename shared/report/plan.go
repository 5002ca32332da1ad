// Package report writes Markdown for people: what a plan would do, and what an
// apply did.
//
// A report opens with the one line that matters and what is dangerous, then
// gets more detailed. It fits a size limit by leaving out details from the
// end of what matters, and always says so. Everything from outside (names,
// values, errors) is shown as code, which is what GitHub reads nothing into:
// see [Text], [Code] and [Fence].
package report

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Plan is what the summary of a plan is made from.
type Plan struct {
	Subject
	// Changes is what the plan would do; nil when planning failed.
	Changes     *changes.Plan
	Diagnostics []terraform.Diagnostic
	// Error is why planning failed where no diagnostic says so: one that came
	// before Terraform, or in place of it.
	Error string
	// Waits are targets that have to be applied before this one can be planned: then what
	// failed is not the plan's fault.
	Waits     []string
	DependsOn []string // other components that must be applied first
	// ApplyHow says who applies the plan and how, in a sentence or two.
	ApplyHow string
}

// Markdown is the summary in at most limit bytes, such as [SummaryLimit].
func (p Plan) Markdown(limit int) string {
	if p.Changes == nil || p.Changes.Errored {
		return p.failed().markdown(limit)
	}
	c := p.Changes
	d := document{rest: p.rest(), title: "## Plan for " + p.name() + "\n\n" + p.cautions()}
	d.line = headline(c) + "\n\n"
	if !c.Counts.Any() && c.Counts.Deferred == 0 {
		d.line = "**No changes.** The configuration and what runs agree: there is nothing to apply.\n\n"
		switch {
		case !c.Complete:
			d.line = "**No changes in this partial plan.** What it left out (`-target`, `-exclude`, or what is deferred) was not compared.\n\n"
		case c.Counts.Drift > 0:
			d.line = "**Nothing to apply.** " + count(c.Counts.Drift, "resource") + " changed outside Terraform, and the configuration leaves that as it is.\n\n"
		}
	}
	b := builder{room: limit, plan: c}
	errors, warnings := diagnostics(p.Diagnostics)
	failed, unknown := checks(c)
	d.add(p.scope(), danger(c), errors, failed, p.notes(b.notes()...), types(c))
	for _, g := range groups {
		d.add(b.group(g))
	}
	d.add(outputs(c), p.built(), b.drift(), b.deferred(), unknown, warnings)

	var more []string
	if len(p.DependsOn) > 0 {
		more = append(more, "Depends on: "+codes(p.DependsOn))
	}
	if p.ApplyHow != "" && c.Counts.Any() {
		d.foot = "**To apply:** " + Text(clip(p.ApplyHow, 4*maxName))
		if !p.ExpiresAt.IsZero() {
			d.foot += " The plan expires on " + stamp(p.ExpiresAt) + "."
		}
		d.foot += "\n\n"
	}
	d.foot += p.foot("About this plan", more...)
	return d.markdown(limit)
}

// rest says where the details are: Terraform's log only names what would change.
func (p Plan) rest() string {
	return p.Subject.rest(" names everything. The plan as JSON has every detail: the input `keep-plan-files` of the plan action keeps it.")
}

// failed is the report of a plan that could not be made.
func (p Plan) failed() document {
	d := document{rest: p.rest(), title: "## ❌ Plan failed for " + p.name() + "\n\n"}
	if len(p.Waits) > 0 {
		return p.waiting(d)
	}
	errors, warnings := diagnostics(p.Diagnostics)
	d.line = "**The plan failed.** Nothing can be applied until it succeeds.\n\n"
	if n := len(errors.items); n > 0 {
		d.line = "**The plan failed with " + count(n, "error") + ".** Nothing can be applied until it succeeds.\n\n"
	}
	if p.Error != "" {
		d.add(&part{name: "error", rank: rankError, title: paragraphs(clip(p.Error, 2*maxValue), p.text)})
	}
	d.add(errors, p.notes(), warnings)
	d.foot = p.foot("About this plan")
	return d
}

// waiting is the report of a plan that has to wait for another target's apply.
func (p Plan) waiting(d document) document {
	errors, _ := diagnostics(p.Diagnostics)
	d.title = "## ⏳ Not planned yet: " + p.name() + "\n\n"
	d.line = "**It can be planned once " + codes(p.Waits) + " is applied:** what it reads comes with the same change.\n\n"
	d.add(alert(rankAlert, "IMPORTANT", "what happens next", "**What happens next**", []string{
		"After the merge, what it waits for is applied.",
		"With " + Code("verification: replan") + ", the same run then plans this target and applies that, if it only creates and the state is new. Nobody has reviewed that plan.",
		"Otherwise plan the merged commit, and review and apply that: the workflow " + Code("examples/plan-merged.yml") + " does so.",
	}), errors, p.notes())
	d.foot = p.foot("About this plan")
	return d
}

// add appends the parts that have something to show.
func (d *document) add(parts ...*part) {
	for _, p := range parts {
		if p != nil && (p.title != "" || len(p.items) > 0) {
			d.parts = append(d.parts, p)
		}
	}
}

// headline is the one line of what will happen, in Terraform's words.
func headline(c *changes.Plan) string {
	n := c.Counts
	main := []string{comma(n.Adds()) + " to add", comma(n.Changes()) + " to change", comma(n.Destroys()) + " to destroy"}
	for _, m := range []struct {
		n    int
		what string
	}{{n.Import, "import"}, {n.Move, "move"}, {n.Forget, "forget"}} {
		if m.n > 0 {
			main = append(main, comma(m.n)+" to "+m.what)
		}
	}
	var also []string
	if n.Replace > 0 {
		also = append(also, comma(n.Replace)+" replaced")
	}
	if n.Outputs > 0 {
		also = append(also, count(n.Outputs, "output")+" to change")
	}
	if n.Deferred > 0 {
		also = append(also, comma(n.Deferred)+" deferred")
	}
	if n.Drift > 0 {
		also = append(also, comma(n.Drift)+" changed outside Terraform")
	}
	failed := 0
	for _, k := range c.Checks {
		if k.Status != "unknown" {
			failed++
		}
	}
	if failed > 0 {
		also = append(also, count(failed, "check")+" failed")
	}
	line := "**" + strings.Join(main, ", ") + "**"
	if len(also) > 0 {
		line += " · " + strings.Join(also, " · ")
	}
	return line
}

// maxDanger is how many resources the alert on top names.
const maxDanger = 25

// danger is the alert that names what is destroyed, replaced or forgotten.
func danger(c *changes.Plan) *part {
	n := c.Counts
	if n.Destroys()+n.Forget == 0 {
		return nil
	}
	var what []string
	if n.Delete > 0 {
		what = append(what, count(n.Delete, "resource")+" will be destroyed")
	}
	if n.Replace > 0 {
		what = append(what, count(n.Replace, "resource")+" will be destroyed and made anew")
	}
	if n.Forget > 0 {
		what = append(what, count(n.Forget, "resource")+" will be left running without Terraform")
	}
	var lines []string
	for i := range c.Resources {
		r := &c.Resources[i]
		if r.Action != changes.Delete && r.Action != changes.Replace && r.Action != changes.Forget {
			continue
		}
		if len(lines) == maxDanger {
			break
		}
		line := "**" + verb(r.Action) + "** " + Code(label(r))
		if why := because(r); why != "" {
			line += ": " + why
		}
		lines = append(lines, line)
	}
	if more := n.Destroys() + n.Forget - len(lines); more > 0 && len(lines) > 0 {
		lines = append(lines, comma(more)+" more")
	}
	return alert(rankAlert, "CAUTION", "what is destroyed", "**"+strings.Join(what, ", ")+".**", lines)
}

// label is how a resource is named: its address, and which object of it.
func label(r *changes.Resource) string {
	s := clip(r.Address, maxName)
	if r.Deposed != "" {
		s += " (deposed " + clip(r.Deposed, maxName) + ")"
	}
	return s
}

// checks are the alerts of checks that failed, and of those that only an apply can tell.
func checks(c *changes.Plan) (failed, unknown *part) {
	var no, later []string
	for _, k := range c.Checks {
		line := Code(clip(k.Address, maxName))
		for i, m := range k.Messages {
			line += [...]string{": ", " "}[min(i, 1)] + Text(clip(m, 2*maxName))
		}
		if k.Status == "unknown" {
			later = append(later, line)
		} else {
			no = append(no, line)
		}
	}
	if n := len(no); n > 0 {
		failed = alert(rankCheck, "WARNING", "failed checks", "**"+count(n, "check")+" failed.**", no)
	}
	if n := len(later); n > 0 {
		unknown = alert(rankOther, "NOTE", "unknown checks", count(n, "check")+" can only be made during apply.", later)
	}
	return failed, unknown
}

// outputs is the part of the root module's outputs that would change.
func outputs(c *changes.Plan) *part {
	p := &part{name: "outputs", rank: rankOutput, omitted: max(0, c.Counts.Outputs-len(c.Outputs))}
	run := 0
	for _, o := range c.Outputs {
		line := appendChange(nil, o.Name, o.Old, o.New, "")
		if len(line) == 0 {
			line = append(appendVisible([]byte("! "), clip(o.Name, maxName), inline), '\n')
		}
		run = max(run, longestRun(line))
		p.items = append(p.items, item{full: string(line), brief: string(appendVisible(nil, clip(o.Name, maxName), inline))})
	}
	if n := max(c.Counts.Outputs, len(c.Outputs)); n > 0 {
		p.title = fmt.Sprintf("### Outputs: %s\n\n", comma(n))
	}
	ticks := strings.Repeat("`", max(3, run+1))
	p.open = ticks + "diff\n"
	p.close = ticks + "\n\n"
	return p
}
