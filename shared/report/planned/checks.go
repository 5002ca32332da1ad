package planned

import (
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Checks returns an alert for the checks that failed, and one for those whose result only an
// apply can tell.
func Checks(c *changes.Plan) (failed, unknown *markdown.Part) {
	var no, later []string
	for _, k := range c.Checks {
		line := markdown.Code(markdown.Clip(k.Address, markdown.MaxName))
		for i, m := range k.Messages {
			line += [...]string{": ", " "}[min(i, 1)] + markdown.Text(markdown.Clip(m, 2*markdown.MaxName))
		}
		if k.Status == "unknown" {
			later = append(later, line)
		} else {
			no = append(no, line)
		}
	}
	title := "**" + markdown.Count(len(no), "check") + " failed.**"
	if len(no) == 0 {
		title = "**Not all checks are shown.**"
	}
	if c.ChecksOmitted > 0 {
		no = append(no, markdown.Count(c.ChecksOmitted, "more check")+" failed, or can only be made during apply. The plan as JSON names all of them.")
	}
	if len(no) > 0 {
		failed = markdown.Alert(markdown.RankCheck, "WARNING", "failed checks", title, no)
	}
	if n := len(later); n > 0 {
		unknown = markdown.Alert(markdown.RankOther, "NOTE", "unknown checks", markdown.Count(n, "check")+" can only be made during apply.", later)
	}
	return failed, unknown
}
