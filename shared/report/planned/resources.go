package planned

import (
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Group is one section of resources: those with the same action.
type Group struct {
	action changes.Action
	verb   string // what Terraform does to such a resource
	title  string
	rank   markdown.Rank
}

// Groups are the groups of a plan, the most dangerous first.
var Groups = [...]Group{
	{changes.Delete, "destroy", "Destroy", markdown.RankDestroy},
	{changes.Replace, "replace", "Replace", markdown.RankDestroy},
	{changes.Forget, "forget", "Forget (left running, no longer managed)", markdown.RankDestroy},
	{changes.Update, "change", "Change in place", markdown.RankChange},
	{changes.Create, "create", "Create", markdown.RankChange},
	{changes.Import, "import", "Import without change", markdown.RankOther},
	{changes.Move, "move", "Move without change", markdown.RankOther},
	{changes.ReadData, "read", "Read during apply", markdown.RankOther},
}

// verb is the word for an action.
func verb(a changes.Action) string {
	for _, g := range Groups {
		if g.action == a {
			return g.verb
		}
	}
	return markdown.Code(markdown.Clip(string(a), markdown.MaxName))
}

// FoldAt is how many resources a group may have before it is folded into one line. What is
// destroyed is never folded.
const FoldAt = 20

// maxTypes is how many rows the table by type has.
const maxTypes = 40

// Builder makes parts from a plan. After it has written more details than the report has room
// for, it writes no more. So the limit, and not the size of the plan, bounds its work.
type Builder struct {
	Plan *changes.Plan
	Room int // in bytes

	Compare  *Comparison // how attributes that differ are shown; nil: as a diff
	Unfolded bool        // so that all is in plain sight
}

// Group returns the part with all resources of one action; nil if there are none.
func (b *Builder) Group(g Group) *markdown.Part {
	total := 0
	for _, t := range b.Plan.ByType {
		if t.Action == g.action {
			total += t.Count
		}
	}
	p := &markdown.Part{Name: strings.ToLower(g.title), Rank: g.rank}
	for i := range b.Plan.Resources {
		if r := &b.Plan.Resources[i]; r.Action == g.action {
			p.Items = append(p.Items, b.item(r, gist(r)))
		}
	}
	if total == 0 {
		return nil
	}
	head(p, g.title, total)
	if total > FoldAt && g.rank != markdown.RankDestroy {
		p.Open = "<details><summary>Show all</summary>\n\n"
		p.Close += "</details>\n\n"
	}
	return p
}

// item is one resource: a folded diff, or a line if there is nothing to fold. The gist, as
// Markdown, is visible while it is folded.
func (b *Builder) item(r *changes.Resource, gist string) markdown.Item {
	why := because(r)
	it := markdown.Item{Brief: string(markdown.AppendVisible(nil, label(r), markdown.Inline))}
	if b.Room <= 0 {
		return it
	}
	fact := facts(r, why)
	body := b.body(r)
	switch {
	case body == "":
		if fact != "" {
			fact = ": " + fact
		}
		it.Full = "- " + markdown.Code(label(r)) + fact + "\n"
		if b.Unfolded {
			it.Full += "\n" // a paragraph that follows is not part of it
		}
	case b.Unfolded:
		if fact != "" {
			fact = " " + fact
		}
		it.Full = markdown.Code(label(r)) + ":" + fact + "\n\n" + body
	default:
		if fact != "" {
			fact += "\n\n"
		}
		it.Full = "<details><summary>" + markdown.Element(label(r)) + gist + "</summary>\n\n" + fact + body + "</details>\n\n"
	}
	b.Room -= len(it.Full)
	return it
}

// facts say what there is to know about r besides its attributes, in sentences.
func facts(r *changes.Resource, why string) string {
	var facts []string
	if why != "" {
		facts = append(facts, strings.ToUpper(why[:1])+why[1:]+".")
	}
	if r.Action == changes.Replace {
		order := "The old one is destroyed first."
		if r.CreateFirst {
			order = "The new one is created before the old one is destroyed."
		}
		facts = append(facts, order)
	}
	if r.PreviousAddress != "" && r.PreviousAddress != r.Address {
		facts = append(facts, "Moved from "+markdown.Code(markdown.Clip(r.PreviousAddress, markdown.MaxName))+".")
	}
	if r.Importing {
		fact := "Imported."
		switch {
		case r.ImportID != "":
			fact = "Imported from the ID " + markdown.Code(markdown.Clip(r.ImportID, markdown.MaxName)) + "."
		case r.ImportIdentity != "":
			fact = "Imported by the identity " + markdown.Code(markdown.Clip(r.ImportIdentity, 2*markdown.MaxName)) + "."
		case r.ImportUnknown:
			fact = "Imported from an ID that is known after apply."
		}
		facts = append(facts, fact)
	}
	if r.TooManySecrets {
		facts = append(facts, "All values are hidden: it has too many sensitive ones to tell which others hold one of them.")
	}
	return strings.Join(facts, " ")
}

// body shows what changes in r, and ends with an empty line; empty if there is nothing to show.
func (b *Builder) body(r *changes.Resource) string {
	if r.Action == changes.ReadData {
		return ""
	}
	if b.Compare != nil && (r.Action == changes.Update || r.Action == changes.Replace) {
		return b.Compare.table(r)
	}
	if diff := diffOf(r); len(diff) > 0 {
		return markdown.FenceVisible("diff", diff) + "\n"
	}
	return ""
}

// gist names the first attributes that change, for a reader who unfolds nothing.
func gist(r *changes.Resource) string {
	const most = 3
	if r.Action != changes.Update {
		return ""
	}
	var names []string
	for _, a := range r.Attributes {
		name, _, _ := strings.Cut(strings.SplitN(a.Path, "[", 2)[0], ".")
		name = markdown.Element(markdown.Clip(name, markdown.MaxName))
		if slices.Contains(names, name) {
			continue
		}
		if names = append(names, name); len(names) > most {
			names[most] = "…"
			break
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

// reason is Terraform's action_reason in words; empty for one that is unknown.
// https://developer.hashicorp.com/terraform/internals/json-format#change-representation
func reason(code string) string {
	switch code {
	case "replace_because_tainted":
		return "it is tainted: creating it failed, or somebody marked it"
	case "replace_because_cannot_update":
		return "an attribute cannot be changed in place"
	case "replace_by_request":
		return "-replace asks for it"
	case "replace_by_triggers":
		return "something in its replace_triggered_by changes"
	case "delete_because_no_resource_config":
		return "it is no longer in the configuration"
	case "delete_because_no_module":
		return "its module is no longer in the configuration"
	case "delete_because_wrong_repetition":
		return "count or for_each was added to or removed from the resource"
	case "delete_because_count_index":
		return "its index is no longer within count"
	case "delete_because_each_key":
		return "its key is no longer in for_each"
	case "delete_because_no_move_target":
		return "it was moved to an address that is not in the configuration"
	case "read_because_config_unknown":
		return "what it reads is only known after apply"
	case "read_because_dependency_pending":
		return "it depends on what this plan changes"
	case "read_because_check_nested":
		return "a check reads it"
	case "instance_count_unknown":
		return "how many there are is not known yet"
	case "resource_config_unknown":
		return "its configuration is not known yet"
	case "provider_config_unknown":
		return "its provider's configuration is not known yet"
	case "absent_prereq":
		return "something it depends on does not exist yet"
	case "deferred_prereq":
		return "something it depends on is deferred"
	}
	return ""
}

// because says why Terraform does that to r, as Markdown; empty if there is nothing to say.
func because(r *changes.Resource) string {
	if len(r.ReplacePaths) > 0 {
		return markdown.Codes(r.ReplacePaths) + " cannot be changed in place"
	}
	if why := reason(r.Reason); why != "" || r.Reason == "" {
		return markdown.Text(why)
	}
	return markdown.Code(markdown.Clip(r.Reason, markdown.MaxName))
}

// fewTypes: up to so many resources, the sections that name each are short enough to read
// without the table by type.
const fewTypes = 10

// Types is the table of how many resources of each type have which action; nil for few
// resources. Three narrow columns fit a phone; a column for each action would not.
func Types(c *changes.Plan) *markdown.Part {
	resources := 0
	for _, t := range c.ByType {
		resources += t.Count
	}
	if resources <= fewTypes {
		return nil
	}
	p := &markdown.Part{Name: "the table by type", Rank: markdown.RankTable, Open: "| Action | Type | Number |\n| :-- | :-- | --: |\n", Close: "\n"}
	for i, t := range c.ByType {
		if i == maxTypes {
			p.Close = "\nAnd " + markdown.Count(len(c.ByType)-maxTypes, "more row") + ".\n\n"
			break
		}
		row := "| " + verb(t.Action) + " | " + markdown.Cell(markdown.Clip(t.Type, markdown.MaxName)) + " | " + markdown.Comma(t.Count) + " |\n"
		p.Items = append(p.Items, markdown.Item{Full: row})
	}
	return p
}

// Drift is the part with what changed outside of Terraform.
func (b *Builder) Drift() *markdown.Part {
	p := b.list("Changed outside Terraform", b.Plan.Drift, b.Plan.Outside())
	if p != nil {
		p.Title += "Terraform found these different from what it last saw.\n\n"
	}
	n := b.Plan.DriftLeftOut
	if n == 0 {
		return p
	}
	line := markdown.Count(n, "resource") + " changed outside Terraform without an effect on this plan, or only between null and an empty value: not shown.\n\n"
	if p == nil {
		return &markdown.Part{Name: "what changed outside Terraform without an effect", Rank: markdown.RankOther, Title: line}
	}
	p.Title += "And " + line
	return p
}

// Deferred is the part with what is deferred to a later plan.
func (b *Builder) Deferred() *markdown.Part {
	return b.list("Deferred to a later plan", b.Plan.Deferred, b.Plan.Counts.Deferred)
}

func (b *Builder) list(title string, resources []changes.Resource, total int) *markdown.Part {
	if total == 0 {
		return nil
	}
	p := &markdown.Part{Name: strings.ToLower(title), Rank: markdown.RankOther}
	for i := range resources {
		r := &resources[i]
		what := gist(r)
		if r.Action == changes.Delete {
			what = ": gone"
		}
		p.Items = append(p.Items, b.item(r, what))
	}
	head(p, title, total)
	return p
}

// head gives p its heading, with the number of resources, and sets how many of them have no
// details.
func head(p *markdown.Part, title string, total int) {
	p.Title = "### " + title + ": " + markdown.Comma(total) + "\n\n"
	p.Omitted = max(0, total-len(p.Items))
	if slices.ContainsFunc(p.Items, func(it markdown.Item) bool { return strings.HasPrefix(it.Full, "- ") }) {
		p.Close = "\n" // ends a list
	}
}

// Notes are notes about the plan itself.
func (b *Builder) Notes() []string {
	if b.Plan.Complete {
		return nil
	}
	return []string{"This plan is partial (`-target`, `-exclude`, or deferred changes). Plan again after the apply."}
}

// label is the name of a resource: its address, and which object of it.
func label(r *changes.Resource) string {
	s := markdown.Clip(r.Address, markdown.MaxName)
	if r.Deposed != "" {
		s += " (deposed " + markdown.Clip(r.Deposed, markdown.MaxName) + ")"
	}
	return s
}
