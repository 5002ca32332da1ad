package planned

import (
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// DriftGroups are the groups of a drift plan's changes, for a reader who knows what is in Git.
// What is most dangerous to restore comes first.
var DriftGroups = [...]Group{
	{action: changes.Delete, title: "Exists but not in Git", rank: markdown.RankDestroy},
	{action: changes.Replace, title: "Differs; will be replaced", rank: markdown.RankDestroy},
	{action: changes.Forget, title: "Exists but no longer managed (left running)", rank: markdown.RankDestroy},
	{action: changes.Update, title: "Differs", rank: markdown.RankChange},
	{action: changes.Create, title: "In Git but missing", rank: markdown.RankChange},
	{action: changes.Import, title: "Exists; will be imported", rank: markdown.RankOther},
	{action: changes.Move, title: "Moved in Git", rank: markdown.RankOther},
}

// UnfoldAt is how many drifted resources are shown without folding any.
const UnfoldAt = 3

// Comparison says which side of a change is which.
type Comparison struct {
	expected     string // heading of the side that the actual one is compared with
	actualBefore bool   // the actual side is the one before
	legend       string // of a diff
}

// The actual infrastructure, compared with Git and with the last apply.
var (
	WithGit  = &Comparison{"In Git", true, "`-` is actual, and `+` is in Git:\n\n"}
	WithLast = &Comparison{"Last applied", false, "`-` was last applied, and `+` is actual:\n\n"}
)

// Limits of a table of attributes. A value that is longer than a cell, or has several lines, is
// in a diff below it.
const (
	maxCell = 80 // characters
	maxRows = 50
)

// table is the attributes of r that differ, side by side; empty if there are none.
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
		// What only an apply will know has not drifted.
		if a.New.Kind == changes.Unknown && !a.ForcesReplacement {
			unknown = append(unknown, a.Path)
			continue
		}
		if n++; n > maxRows {
			more++
			continue
		}
		expected, actual := c.cell(a.New), c.cell(a.Old)
		if !c.actualBefore {
			expected, actual = actual, expected
		}
		if expected == "" || actual == "" {
			diff = append(diff, change...)
			continue
		}
		rows = append(rows, "| "+markdown.Cell(markdown.Clip(a.Path, markdown.MaxName))+" | "+expected+" | "+actual+" |\n"...)
	}
	out := ""
	if len(rows) > 0 {
		out = "| Attribute | " + c.expected + " | Actual |\n| :-- | :-- | :-- |\n" + string(rows) + "\n"
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

// cell is a value in a table; empty if it does not fit into one.
func (c *Comparison) cell(v changes.Value) string {
	switch v.Kind {
	case changes.Absent:
		return "(missing)"
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
