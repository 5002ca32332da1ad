package report

import (
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// group is one section of resources: those with the same action.
type group struct {
	action changes.Action
	verb   string // what Terraform does to such a resource
	title  string
	rank   rank
}

// groups, most dangerous first.
var groups = [...]group{
	{changes.Delete, "destroy", "Destroy", rankDestroy},
	{changes.Replace, "replace", "Replace", rankDestroy},
	{changes.Forget, "forget", "Forget (left running, no longer managed)", rankDestroy},
	{changes.Update, "change", "Change in place", rankChange},
	{changes.Create, "create", "Create", rankChange},
	{changes.Import, "import", "Import without change", rankOther},
	{changes.Move, "move", "Move without change", rankOther},
	{changes.ReadData, "read", "Read during apply", rankOther},
}

// verb is the word for an action.
func verb(a changes.Action) string {
	for _, g := range groups {
		if g.action == a {
			return g.verb
		}
	}
	return Code(clip(string(a), maxName))
}

// foldAt is how many resources a group shows before it is folded into one
// line; what is destroyed is never folded.
const foldAt = 20

// maxTypes is how many rows the table by type shows.
const maxTypes = 40

// builder makes parts from a plan. Once it has written more details than the
// report has room for it makes no more, so that its work is bounded by the
// limit and not by the plan.
type builder struct {
	plan *changes.Plan
	room int // in bytes

	compare  *comparison // how attributes that differ are shown; nil: as a diff
	unfolded bool        // so that all is in plain sight
}

// group is the part of all resources with one action, nil if there are none.
func (b *builder) group(g group) *part {
	total := 0
	for _, t := range b.plan.ByType {
		if t.Action == g.action {
			total += t.Count
		}
	}
	p := &part{name: strings.ToLower(g.title), rank: g.rank}
	for i := range b.plan.Resources {
		if r := &b.plan.Resources[i]; r.Action == g.action {
			p.items = append(p.items, b.item(r, gist(r)))
		}
	}
	if total == 0 {
		return nil
	}
	p.head(g.title, total)
	if total > foldAt && g.rank != rankDestroy {
		p.open = "<details><summary>Show all</summary>\n\n"
		p.close += "</details>\n\n"
	}
	return p
}

// item is one resource: a folded diff, or a line when there is nothing to fold.
// The gist, as Markdown, is what can be seen of a folded one.
func (b *builder) item(r *changes.Resource, gist string) item {
	why := because(r)
	it := item{brief: string(appendVisible(nil, label(r), inline))}
	if b.room <= 0 {
		return it
	}
	fact := facts(r, why)
	body := b.body(r)
	switch {
	case body == "":
		if fact != "" {
			fact = ": " + fact
		}
		it.full = "- " + Code(label(r)) + fact + "\n"
		if b.unfolded {
			it.full += "\n" // a paragraph that follows is not part of it
		}
	case b.unfolded:
		if fact != "" {
			fact = " " + fact
		}
		it.full = Code(label(r)) + ":" + fact + "\n\n" + body
	default:
		if fact != "" {
			fact += "\n\n"
		}
		it.full = "<details><summary>" + element(label(r)) + gist + "</summary>\n\n" + fact + body + "</details>\n\n"
	}
	b.room -= len(it.full)
	return it
}

// facts are what there is to say of r besides its attributes, as sentences.
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
		facts = append(facts, "Moved from "+Code(clip(r.PreviousAddress, maxName))+".")
	}
	if r.Importing {
		fact := "Imported."
		if r.ImportID != "" {
			fact = "Imported from the ID " + Code(clip(r.ImportID, maxName)) + "."
		}
		facts = append(facts, fact)
	}
	if r.TooManySecrets {
		facts = append(facts, "All values are hidden: it has too many sensitive ones to tell which others hold one of them.")
	}
	return strings.Join(facts, " ")
}

// body shows what changes of r, and ends in an empty line; empty when there is
// nothing to show.
func (b *builder) body(r *changes.Resource) string {
	if r.Action == changes.ReadData {
		return ""
	}
	if b.compare != nil && (r.Action == changes.Update || r.Action == changes.Replace) {
		return b.compare.table(r)
	}
	if diff := appendDiff(nil, r); len(diff) > 0 {
		return fence("diff", diff) + "\n"
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
		name = element(clip(name, maxName))
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
		return "it is tainted: a creation of it failed, or someone marked it"
	case "replace_because_cannot_update":
		return "a change that cannot be made in place"
	case "replace_by_request":
		return "-replace asks for it"
	case "replace_by_triggers":
		return "what it lists in replace_triggered_by changes"
	case "delete_because_no_resource_config":
		return "it is no longer in the configuration"
	case "delete_because_no_module":
		return "its module is no longer in the configuration"
	case "delete_because_wrong_repetition":
		return "its address no longer fits whether the resource has count or for_each"
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
		return "something it depends on is not there yet"
	case "deferred_prereq":
		return "something it depends on is deferred"
	}
	return ""
}

// because says why Terraform does that to r, in words, as Markdown; empty when
// there is nothing to say.
func because(r *changes.Resource) string {
	if len(r.ReplacePaths) > 0 {
		return codes(r.ReplacePaths) + " cannot be changed in place"
	}
	if why := reason(r.Reason); why != "" || r.Reason == "" {
		return Text(why)
	}
	return Code(clip(r.Reason, maxName))
}

// types is the table of how many resources of which type have which action.
// Three narrow columns fit a phone; a column for each action would not.
func types(c *changes.Plan) *part {
	p := &part{name: "the table by type", rank: rankTable, open: "| Action | Type | Number |\n| :-- | :-- | --: |\n", close: "\n"}
	for i, t := range c.ByType {
		if i == maxTypes {
			p.close = "\nAnd " + count(len(c.ByType)-maxTypes, "more row") + ".\n\n"
			break
		}
		row := "| " + verb(t.Action) + " | " + Cell(clip(t.Type, maxName)) + " | " + comma(t.Count) + " |\n"
		p.items = append(p.items, item{full: row})
	}
	return p
}

// drift is the part of what changed outside of Terraform.
func (b *builder) drift() *part {
	p := b.list("Changed outside Terraform", b.plan.Drift, b.plan.Counts.Drift)
	if p != nil {
		p.title += "Terraform found these different from what it last saw.\n\n"
	}
	return p
}

// deferred is the part of what is put off to a later plan.
func (b *builder) deferred() *part {
	return b.list("Deferred to a later plan", b.plan.Deferred, b.plan.Counts.Deferred)
}

func (b *builder) list(title string, resources []changes.Resource, total int) *part {
	if total == 0 {
		return nil
	}
	p := &part{name: strings.ToLower(title), rank: rankOther}
	for i := range resources {
		r := &resources[i]
		what := gist(r)
		if r.Action == changes.Delete {
			what = ": gone"
		}
		p.items = append(p.items, b.item(r, what))
	}
	p.head(title, total)
	return p
}

// head gives p its heading, with how many there are, and how many of those it
// has no details of.
func (p *part) head(title string, total int) {
	p.title = "### " + title + ": " + comma(total) + "\n\n"
	p.omitted = max(0, total-len(p.items))
	if slices.ContainsFunc(p.items, func(it item) bool { return strings.HasPrefix(it.full, "- ") }) {
		p.close = "\n" // ends a list
	}
}

// notes are what the plan itself has to say.
func (b *builder) notes() []string {
	if b.plan.Complete {
		return nil
	}
	return []string{"This plan is partial (`-target`, `-exclude`, or deferred changes). Plan again after the apply."}
}
