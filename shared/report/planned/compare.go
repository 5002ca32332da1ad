package planned

import (
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// DriftGroups are the groups of a drift plan's changes, for somebody who knows
// what is in Git; what is the most dangerous to bring back comes first.
var DriftGroups = [...]Group{
	{action: changes.Delete, title: "Running, and not in Git", rank: markdown.RankDestroy},
	{action: changes.Replace, title: "Different, and replaced to bring it back", rank: markdown.RankDestroy},
	{action: changes.Forget, title: "Running, and to be left alone (no longer managed)", rank: markdown.RankDestroy},
	{action: changes.Update, title: "Different", rank: markdown.RankChange},
	{action: changes.Create, title: "In Git, and not running", rank: markdown.RankChange},
	{action: changes.Import, title: "Running, and to be imported", rank: markdown.RankOther},
	{action: changes.Move, title: "Moved in Git", rank: markdown.RankOther},
}

// UnfoldAt is how many resources may drift for all of it to be in plain sight.
const UnfoldAt = 3

// Comparison is which side of a change is which.
type Comparison struct {
	expected   string // heading of what is compared with what runs
	runsBefore bool   // what runs is the side before
	legend     string // of a diff
}

// What runs, compared with what Git says and with what was applied last.
var (
	WithGit  = &Comparison{"Git says", true, "`-` is what runs, and `+` what Git says:\n\n"}
	WithLast = &Comparison{"Last applied", false, "`-` is what was last applied, and `+` what runs:\n\n"}
)

// Bounds of a table of attributes: what is wider than a cell, or of several
// lines, is in a diff below it.
const (
	maxCell = 80 // characters
	maxRows = 50
)

// table writes the attributes of r that differ, side by side; empty when there
// are none.
func (c *Comparison) table(r *changes.Resource) string {
	var rows, diff []byte
	var unknown []string
	n, more := 0, r.AttributesOmitted
	for i := range r.Attributes {
		a := &r.Attributes[i]
		change := appendChange(nil, a.Path, a.Old, a.New, "")
		if len(change) == 0 {
			continue
		}
		// What only an apply will know is not what drifted.
		if a.New.Kind == changes.Unknown && !a.ForcesReplacement {
			unknown = append(unknown, a.Path)
			continue
		}
		if n++; n > maxRows {
			more++
			continue
		}
		expected, runs := c.cell(a.New), c.cell(a.Old)
		if !c.runsBefore {
			expected, runs = runs, expected
		}
		if expected == "" || runs == "" {
			diff = append(diff, change...)
			continue
		}
		rows = append(rows, "| "+markdown.Cell(markdown.Clip(a.Path, markdown.MaxName))+" | "+expected+" | "+runs+" |\n"...)
	}
	out := ""
	if len(rows) > 0 {
		out = "| Attribute | " + c.expected + " | Runs |\n| :-- | :-- | :-- |\n" + string(rows) + "\n"
	}
	if len(diff) > 0 {
		out += c.legend + markdown.FenceVisible("diff", diff) + "\n"
	}
	if len(unknown) > 0 {
		out += "Known after apply: " + markdown.Codes(unknown) + ".\n\n"
	}
	if more > 0 {
		out += "And " + markdown.Count(more, "more attribute") + ".\n\n"
	}
	return out
}

// cell is a value in a table; empty when it does not fit one.
func (c *Comparison) cell(v changes.Value) string {
	switch v.Kind {
	case changes.Absent:
		return "(not there)"
	case changes.Null:
		return "(null)"
	case changes.Sensitive:
		return "(sensitive)"
	case changes.Unknown:
		return "(known after apply)"
	}
	text := string(appendValue(nil, v, affixes{}))
	if text, _ := lines(v, false); text != "" {
		return ""
	}
	if v.Cut > 0 || utf8.RuneCountInString(text) > maxCell {
		return ""
	}
	return markdown.Cell(text)
}
