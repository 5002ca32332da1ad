package drift

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Summary is the job summary of a reconciliation.
type Summary struct {
	Reconciled
	DryRun    bool
	MaxOpened int
	RunURL    string
}

// what says what a step did, for a reader.
var what = map[Kind]string{
	Open: "opened", Update: "updated", Fixed: "closed: fixed", Removed: "closed: no longer in Git", Duplicate: "closed: duplicate",
	Adopt: "kept", Forget: "no issue", Keep: "kept", NoRoom: "**no issue: too many are open**", Quiet: "no issue: discarded", Busy: "another run is opening an issue",
}

func heading(drifted, failed int) string {
	switch {
	case drifted > 0 && failed > 0:
		return fmt.Sprintf("Drift: %d drifted, %d not known", drifted, failed)
	case failed > 0:
		return fmt.Sprintf("Drift: %d not known", failed)
	case drifted > 0:
		return fmt.Sprintf("Drift: %d drifted", drifted)
	}
	return "No drift found"
}

func number(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// Markdown is the summary, in at most [markdown.SummaryLimit] bytes.
func (s Summary) Markdown() string {
	drifted, failed := 0, 0
	rows := map[Kind][]string{}
	for _, d := range s.Done {
		switch d.Result.Outcome {
		case Drifted:
			drifted++
		case PlanFailed:
			failed++
		}
		issue, c := "", d.Result.Counts
		if d.Issue.Number > 0 {
			issue = fmt.Sprintf("[issue %d](%s)", d.Issue.Number, d.Issue.URL)
		}
		changes := ""
		switch d.Result.Outcome {
		case Drifted:
			changes = report.Numbers(c)
		case PlanFailed:
			changes = "planning failed"
		}
		done := what[d.Kind]
		if d.Err != nil {
			done = "❌ " + markdown.CellText(d.Err.Error())
		}
		rows[d.Kind] = append(rows[d.Kind], fmt.Sprintf("| %s | %s | %s | %s | %s |\n", markdown.Cell(d.Name.Component), markdown.Cell(d.Name.Stack), changes, done, issue))
	}
	var b strings.Builder
	b.WriteString("## 🔀 " + heading(drifted, failed) + "\n\n")
	if s.RunURL != "" {
		b.WriteString(markdown.Link("This run", s.RunURL) + "\n\n")
	}
	if s.DryRun {
		b.WriteString("This is a dry run: nothing was written.\n\n")
	}
	if n := len(rows[NoRoom]); n > 0 {
		fmt.Fprintf(&b, "%s no issue, since at most %d are open (`max-opened-issues`). The worst drift gets an issue first.\n\n", number(n, "drifted target has", "drifted targets have"), s.MaxOpened)
	}
	b.WriteString(s.Ignored.markdown())
	if len(s.Done) == 0 {
		if s.Planned == 0 {
			b.WriteString("No target was planned for drift in this run, and no drift issue is open.\n")
		} else {
			b.WriteString(number(s.Planned, "target was", "targets were") + " planned, and no drift issue is open.\n")
		}
		return b.String()
	}
	b.WriteString("| Component | Stack | To restore | Result | Issue |\n| --- | --- | --- | --- | --- |\n")
	left := 0
	for _, kind := range []Kind{NoRoom, Open, Update, Fixed, Removed, Duplicate, Quiet, Busy, Adopt, Forget, Keep} {
		for _, row := range rows[kind] {
			if b.Len()+len(row) > markdown.SummaryLimit-200 {
				left++
				continue
			}
			b.WriteString(row)
		}
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%d more targets: see the output `issues`.\n", left)
	}
	return b.String()
}
