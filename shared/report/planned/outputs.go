package planned

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Outputs returns the part with the root module's outputs that would change.
func Outputs(c *changes.Plan) *markdown.Part {
	p := &markdown.Part{Name: "outputs", Rank: markdown.RankOutput, Omitted: max(0, c.Shown().Outputs-len(c.Outputs))}
	run := 0
	for _, o := range c.Outputs {
		line := appendChange(nil, o.Name, o.Old, o.New, "")
		if len(line) == 0 {
			line = append(markdown.AppendVisible([]byte("! "), markdown.Clip(o.Name, markdown.MaxName), markdown.Inline), '\n')
		}
		run = max(run, markdown.LongestRun(line))
		p.Items = append(p.Items, markdown.Item{Full: string(line), Brief: string(markdown.AppendVisible(nil, markdown.Clip(o.Name, markdown.MaxName), markdown.Inline))})
	}
	if n := max(c.Shown().Outputs, len(c.Outputs)); n > 0 {
		p.Title = fmt.Sprintf("### Outputs: %s\n\n", markdown.Comma(n))
	}
	ticks := strings.Repeat("`", max(3, run+1))
	p.Open = ticks + "diff\n"
	p.Close = ticks + "\n\n"
	return p
}
