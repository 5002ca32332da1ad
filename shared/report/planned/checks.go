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
	if n := len(no); n > 0 {
		failed = markdown.Alert(markdown.RankCheck, "WARNING", "failed checks", "**"+markdown.Count(n, "check")+" failed.**", no)
	}
	if n := len(later); n > 0 {
		unknown = markdown.Alert(markdown.RankOther, "NOTE", "unknown checks", markdown.Count(n, "check")+" can only be made during apply.", later)
	}
	return failed, unknown
}
