package report

import (
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// driftGroups are the groups of a drift plan's changes, for somebody who knows
// what is in Git; what is the most dangerous to bring back comes first.
var driftGroups = [...]group{
	{action: changes.Delete, title: "Running, and not in Git", rank: rankDestroy},
	{action: changes.Replace, title: "Different, and replaced to bring it back", rank: rankDestroy},
	{action: changes.Forget, title: "Running, and to be left alone (no longer managed)", rank: rankDestroy},
	{action: changes.Update, title: "Different", rank: rankChange},
	{action: changes.Create, title: "In Git, and not running", rank: rankChange},
	{action: changes.Import, title: "Running, and to be imported", rank: rankOther},
	{action: changes.Move, title: "Moved in Git", rank: rankOther},
}

// unfoldAt is how many resources may drift for all of it to be in plain sight.
const unfoldAt = 3

// comparison is which side of a change is which.
type comparison struct {
	expected   string // heading of what is compared with what runs
	runsBefore bool   // what runs is the side before
	legend     string // of a diff
}

var (
	withGit  = &comparison{"Git says", true, "`-` is what runs, and `+` what Git says:\n\n"}
	withLast = &comparison{"Last applied", false, "`-` is what was last applied, and `+` what runs:\n\n"}
)

// Bounds of a table of attributes: what is wider than a cell, or of several
// lines, is in a diff below it.
const (
	maxCell = 80 // characters
	maxRows = 50
)

// table writes the attributes of r that differ, side by side; empty when there
// are none.
func (c *comparison) table(r *changes.Resource) string {
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
		rows = append(rows, "| "+Cell(clip(a.Path, maxName))+" | "+expected+" | "+runs+" |\n"...)
	}
	out := ""
	if len(rows) > 0 {
		out = "| Attribute | " + c.expected + " | Runs |\n| :-- | :-- | :-- |\n" + string(rows) + "\n"
	}
	if len(diff) > 0 {
		out += c.legend + fence("diff", diff) + "\n"
	}
	if len(unknown) > 0 {
		out += "Known after apply: " + codes(unknown) + ".\n\n"
	}
	if more > 0 {
		out += "And " + count(more, "more attribute") + ".\n\n"
	}
	return out
}

// cell is a value in a table; empty when it does not fit one.
func (c *comparison) cell(v changes.Value) string {
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
	return Cell(text)
}
