package report

import (
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/planned"
)

// built lists the files that travel with the plan. Nobody has reviewed them.
func (s Subject) built() *markdown.Part {
	if len(s.Built) == 0 {
		return nil
	}
	var all int64
	p := &markdown.Part{Name: "the built files", Rank: markdown.RankOutput, Open: "| File | Size |\n| :-- | --: |\n", Close: "\n"}
	for _, f := range s.Built {
		all += f.Size
		name := markdown.Clip(f.Name, markdown.MaxName)
		p.Items = append(p.Items, markdown.Item{
			Full:  "| " + markdown.Cell(name) + " | " + markdown.Size(f.Size) + " |\n",
			Brief: string(markdown.AppendVisible(nil, name+": "+markdown.Size(f.Size), markdown.Inline)),
		})
	}
	p.Title = "### Built files: " + markdown.Comma(len(s.Built)) + ", " + markdown.Size(all) + "\n\n" +
		"They are stored and applied with the plan. They are not in Git, so nothing compares them with what was reviewed.\n\n"
	if len(s.Built) > planned.FoldAt {
		p.Open = "<details><summary>Show all</summary>\n\n" + p.Open
		p.Close += "</details>\n\n"
	}
	return p
}
