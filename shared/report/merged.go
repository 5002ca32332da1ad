package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Merged is the comment on a merged pull request that says what became of its plans.
type Merged struct {
	RunURL  string
	Targets []MergedTarget
	// Error is why the run could not find that out.
	Error string
	// Workflow is the address of the workflow that plans and applies what is left. Command starts
	// it for exactly these targets, and Input is its input `targets`. All are empty if there is no
	// such workflow, or nothing is left.
	Workflow, Command, Input string
}

// MergedTarget is what became of a target. It is kept in the comment for the next run, as JSON.
type MergedTarget struct {
	Component   string `json:"c"`
	Stack       string `json:"s"`
	Environment string `json:"e,omitempty"`
	Fate        Fate   `json:"f"`
	Note        string `json:"n,omitempty"` // what was applied, or why not
	RunURL      string `json:"r,omitempty"` // the run that applied it, or failed
}

// Fate is what became of a merged plan.
type Fate string

// The fates, the worst first.
const (
	FateFailed     Fate = "failed"
	FateRefused    Fate = "refused"
	FateBlocked    Fate = "blocked"     // a target that it depends on was not applied
	FateNotReached Fate = "not applied" // it can still be applied
	FateLater      Fate = "to be planned next"
	FateWaits      Fate = "waiting for approval"
	FateApplied    Fate = "applied"
	FateUnchanged  Fate = "no changes"
)

var fates = []Fate{FateFailed, FateRefused, FateBlocked, FateNotReached, FateLater, FateWaits, FateApplied, FateUnchanged}

// Left reports whether the target has to be planned again.
func (t MergedTarget) Left() bool {
	return t.Fate == FateFailed || t.Fate == FateRefused || t.Fate == FateBlocked || t.Fate == FateLater
}

// Markdown is the comment in at most limit bytes.
func (m Merged) Markdown(limit int) string {
	n := map[Fate]int{}
	for _, t := range m.Targets {
		n[t.Fate]++
	}
	d := markdown.Document{
		Title: "## " + m.title(n) + "\n\n" + markdown.Link("This run", m.RunURL) + "\n\n",
		Rest:  markdown.Link("The run", m.RunURL) + " has all of it.",
		Foot:  m.left(n),
	}
	var counts []string
	for _, fate := range fates {
		if n[fate] > 0 {
			counts = append(counts, markdown.Comma(n[fate])+" "+string(fate))
		}
	}
	if len(counts) > 0 {
		d.Line = "**" + markdown.Count(len(m.Targets), "target") + ": " + strings.Join(counts, ", ") + ".**\n\n"
	}
	if m.Error != "" {
		d.Add(markdown.Alert(markdown.RankAlert, "CAUTION", "the error", "", []string{markdown.Text(markdown.Clip(m.Error, 2*markdown.MaxValue))}))
	}
	d.Add(m.table())
	return d.Markdown(limit)
}

func (m Merged) title(n map[Fate]int) string {
	undone := n[FateFailed] + n[FateRefused] + n[FateBlocked] + n[FateNotReached]
	switch {
	case m.Error != "":
		return "❌ Not applied"
	case undone > 0:
		return "❌ Not applied: " + markdown.Comma(undone) + " of " + markdown.Count(len(m.Targets), "target")
	case n[FateWaits] > 0:
		return "⏳ To be applied: " + markdown.Count(n[FateWaits], "target")
	case n[FateLater] > 0:
		return "⏳ To be planned next: " + markdown.Count(n[FateLater], "target")
	case n[FateApplied] > 0:
		return "✅ Applied " + markdown.Count(n[FateApplied], "target")
	}
	return "✅ Nothing to apply"
}

// table has a row for each target, except those without changes.
func (m Merged) table() *markdown.Part {
	sorted := slices.Clone(m.Targets)
	slices.SortFunc(sorted, func(a, b MergedTarget) int {
		return cmp.Or(cmp.Compare(slices.Index(fates, a.Fate), slices.Index(fates, b.Fate)), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Stack, b.Stack))
	})
	p := &markdown.Part{Name: "the table of targets", Rank: markdown.RankTable, Open: "| Target | Environment | What became of it |\n| :-- | :-- | :-- |\n", Close: "\n"}
	for _, t := range sorted {
		if t.Fate == FateUnchanged {
			continue
		}
		e := Entry{Component: t.Component, Stack: t.Stack}
		result := t.mark() + " " + markdown.Link(string(t.Fate), t.RunURL)
		if t.Note != "" {
			result += ": " + markdown.CellText(markdown.Clip(t.Note, maxNote))
		}
		environment := ""
		if t.Environment != "" {
			environment = markdown.Cell(markdown.Clip(t.Environment, markdown.MaxName))
		}
		p.Items = append(p.Items, markdown.Item{
			Full:  "| " + e.name(markdown.Cell) + " | " + environment + " | " + result + " |\n",
			Brief: string(markdown.AppendVisible(nil, e.name(func(s string) string { return s })+": "+string(t.Fate), markdown.Inline)),
		})
	}
	if len(p.Items) == 0 {
		return nil
	}
	return p
}

func (t MergedTarget) mark() string {
	switch t.Fate {
	case FateApplied:
		return "✅"
	case FateWaits, FateLater:
		return "⏳"
	case FateFailed:
		return "❌"
	}
	return "⛔"
}

// left says what is left to do.
func (m Merged) left(n map[Fate]int) string {
	var b strings.Builder
	if n[FateWaits] > 0 {
		b.WriteString("The reviewers of an environment, if it has any, approve in " + markdown.Link("the run", m.RunURL) + ".\n\n")
	}
	if n[FateNotReached] > 0 {
		b.WriteString("**" + markdown.Count(n[FateNotReached], "target") + " can still be applied:** choose \"Re-run failed jobs\" in " + markdown.Link("the run", m.RunURL) + ".\n\n")
	}
	if left := n[FateFailed] + n[FateRefused] + n[FateBlocked] + n[FateLater]; left > 0 {
		b.WriteString("**Left to do:** plan " + markdown.Count(left, "target") + " at the merged commit, review the plans, and apply them")
		switch {
		case m.Workflow == "":
			b.WriteString(": the workflow `examples/plan-merged.yml` does this.\n\n")
		case m.Input == "":
			b.WriteString(": run the workflow " + markdown.Link("plan-merged", m.Workflow) + ". They are too many for its input `targets`: select them by `components` and `stacks`.\n\n")
		default:
			b.WriteString(": run the workflow " + markdown.Link("plan-merged", m.Workflow) + " (\"Run workflow\"), with this as `targets`:\n\n" +
				markdown.Fence("json", m.Input) + "\nOr in a shell:\n\n" + markdown.Fence("sh", m.Command) + "\n")
		}
		b.WriteString("If a failure has another reason than the plan, correct that first.\n\n")
	}
	return b.String()
}
