package planned

import (
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Ignored is the part with the differences that drift.ignore ignores, folded; nil if there are
// none. what says what becomes of them.
func (b *Builder) Ignored(what string) *markdown.Part {
	i := &b.Plan.Ignored
	if i.Differences() == 0 {
		return nil
	}
	p := &markdown.Part{
		Name: "ignored differences", Rank: markdown.RankOther, Omitted: i.More,
		Open:  "<details><summary>Ignored by <code>drift.ignore</code>: " + markdown.Count(i.Differences(), "difference") + "</summary>\n\n" + what + "\n\n" + IgnoredBy(i.Uses) + "\n\n",
		Close: "</details>\n\n",
	}
	shown := *b
	shown.Unfolded = true
	for k := range i.Resources {
		p.Items = append(p.Items, shown.item(&i.Resources[k], ""))
	}
	b.Room = shown.Room
	for _, o := range i.Outputs {
		r := changes.Resource{Address: "output." + o.Name, Action: changes.Update, Attributes: []changes.Attribute{{Path: "value", Old: o.Old, New: o.New}}}
		p.Items = append(p.Items, shown.item(&r, ""))
	}
	p.Omitted += max(0, i.Wholly.Outputs-len(i.Outputs))
	return p
}

// maxRules is how many rules are named in one line.
const maxRules = 10

// IgnoredBy names the rules that ignore something, with their numbers.
func IgnoredBy(uses []ignore.Use) string {
	var list []string
	more := 0
	for _, u := range uses {
		switch {
		case u.Differences == 0:
		case len(list) == maxRules:
			more++
		default:
			list = append(list, markdown.Code(markdown.Clip(u.Rule, markdown.MaxName))+" ("+markdown.Comma(u.Differences)+")")
		}
	}
	if more > 0 {
		list = append(list, markdown.Comma(more)+" more")
	}
	return strings.Join(list, ", ")
}
