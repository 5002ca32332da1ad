// Package planned writes what a plan changes, as parts of a report: the headline, what is
// dangerous, the resources by action with their diffs, outputs and checks.
package planned

import (
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Headline says in one line what will happen, in Terraform's words and without zeros.
func Headline(c *changes.Plan) string {
	n := c.Shown()
	var main []string
	for _, m := range []struct {
		n    int
		what string
	}{{n.Adds(), "add"}, {n.Changes(), "change"}, {n.Destroys(), "destroy"}, {n.Import, "import"}, {n.Move, "move"}, {n.Forget, "forget"}} {
		if m.n > 0 {
			main = append(main, markdown.Comma(m.n)+" to "+m.what)
		}
	}
	if n.Invoke > 0 {
		main = append(main, markdown.Count(n.Invoke, "action")+" to invoke")
	}
	var also []string
	if n.Replace > 0 {
		also = append(also, markdown.Comma(n.Replace)+" replaced")
	}
	switch outputs := markdown.Count(n.Outputs, "output") + " to change"; {
	case n.Outputs > 0 && len(main) == 0:
		main = append(main, outputs)
	case n.Outputs > 0:
		also = append(also, outputs)
	}
	if deferred := n.Deferred + c.DeferredInvocations; deferred > 0 {
		also = append(also, markdown.Comma(deferred)+" deferred")
	}
	if outside := c.Outside(); outside > 0 {
		also = append(also, markdown.Comma(outside)+" changed outside Terraform")
	}
	if ignored := c.Ignored.Differences(); ignored > 0 {
		also = append(also, markdown.Count(ignored, "difference")+" ignored")
	}
	failed := 0
	for _, k := range c.Checks {
		if k.Status != "unknown" {
			failed++
		}
	}
	if failed > 0 {
		also = append(also, markdown.Count(failed, "check")+" failed")
	}
	if len(main) == 0 {
		main = append(main, "No changes")
	}
	line := "**" + strings.Join(main, ", ") + "**"
	if len(also) > 0 {
		line += " · " + strings.Join(also, " · ")
	}
	return line
}

// maxDanger is how many resources the alert at the top names.
const maxDanger = 25

// Danger is the alert that names what is destroyed, replaced or forgotten.
func Danger(c *changes.Plan) *markdown.Part {
	n := c.Counts
	if n.Destroys()+n.Forget == 0 {
		return nil
	}
	var what []string
	if n.Delete > 0 {
		what = append(what, markdown.Count(n.Delete, "resource")+" will be destroyed")
	}
	if n.Replace > 0 {
		what = append(what, markdown.Count(n.Replace, "resource")+" will be replaced (destroyed and recreated)")
	}
	if n.Forget > 0 {
		what = append(what, markdown.Count(n.Forget, "resource")+" will be removed from the state and left running")
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
		line := "**" + verb(r.Action) + "** " + markdown.Code(label(r))
		if why := because(r); why != "" {
			line += ": " + why
		}
		lines = append(lines, line)
	}
	if more := n.Destroys() + n.Forget - len(lines); more > 0 && len(lines) > 0 {
		lines = append(lines, markdown.Comma(more)+" more")
	}
	return markdown.Alert(markdown.RankAlert, "CAUTION", "what is destroyed", "**"+strings.Join(what, ", ")+".**", lines)
}
