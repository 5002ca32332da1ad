package changes

import (
	"strconv"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
)

// Ignored is what rules of drift.ignore ignore of a plan.
//
// A difference can be ignored only in an update in place of a resource or an output: not in one
// that is created, destroyed, replaced, forgotten, imported or moved, whatever its attributes. In
// a plan with [Limit.RefreshOnly], what can be ignored is in resource_drift, and otherwise in
// resource_changes. A value that is known only after apply is a difference as any other. So is a
// value that is sensitive as a whole; a rule for a part of it ignores nothing.
type Ignored struct {
	// Uses has each rule and how many differences it ignores: of those that match, the first.
	Uses []ignore.Use
	// Resources are those with ignored differences, and only with these. More is how many
	// are not kept.
	Resources []Resource
	More      int
	// Outputs are those that are ignored; Wholly.Outputs has their exact number.
	Outputs []Output
	// Wholly are the changes without any other difference: Update, Drift and Outputs. They are
	// in Counts, and not in ByType, Resources, Drift, Outputs, Visible and VisibleDrift.
	Wholly Counts
}

// Differences is how many differences are ignored.
func (i *Ignored) Differences() (n int) {
	for _, u := range i.Uses {
		n += u.Differences
	}
	return n
}

// OnlyIgnored reports whether all that the plan would do is ignored. It is false if the plan has
// a part that can't be compared.
func (p *Plan) OnlyIgnored() bool {
	return p.Ignored.Differences() > 0 && !p.Shown().Any() &&
		p.Counts.Deferred+p.DeferredInvocations+len(p.Unknown) == 0 && !p.Errored
}

// ignorer finds what is ignored. With no rules it does nothing.
type ignorer struct {
	rules       []ignore.Rule
	refreshOnly bool
	differences []int // by rule
	finder      *ignore.Finder
	wholly      Counts
	resources   *keeper[Resource]
	count       int // of resources, kept or not
	outputs     *keeper[Output]
}

func newIgnorer(limit Limit) ignorer {
	return ignorer{
		rules: limit.Ignore, refreshOnly: limit.RefreshOnly, differences: make([]int, len(limit.Ignore)), finder: ignore.NewFinder(limit.Ignore),
		resources: newKeeper[Resource](limit.Bytes / 4), outputs: newKeeper[Output](limit.Bytes / 4),
	}
}

// ignoredPart are the differences of one change that are ignored; nil: none.
type ignoredPart struct {
	rules  map[int]ignore.Path // that match its address, by their place among all
	order  []int               // of these
	counts map[int]int         // differences, by the rule that ignores them
	paths  map[string]bool     // where the differences are: see pathKey
	others int                 // differences that are not ignored
	copies [][2]string         // paths that are ignored if the second one is
	alone  int                 // steps to the element that was added or removed around the next difference; 0: none
}

// isWhole reports whether the change has no other difference.
func (p *ignoredPart) isWhole() bool { return p != nil && p.others == 0 }

// of returns what is ignored of a change.
func (g *ignorer) of(at ignore.Instance, t *tree, action Action, change *[changeFieldCount]int32, drifted bool) *ignoredPart {
	if len(g.rules) == 0 {
		return nil
	}
	if !drifted {
		g.finder.See(at, func(p ignore.Path) bool {
			for _, side := range []int32{change[fieldBefore], change[fieldAfter]} {
				if t.kind(side) != '{' {
					continue
				}
				for c := range t.children(side) {
					if p.CanBegin(string(t.name(c))) {
						return true
					}
				}
			}
			return false
		})
	}
	if action != Update {
		return nil
	}
	p := &ignoredPart{rules: map[int]ignore.Path{}, counts: map[int]int{}, paths: map[string]bool{}}
	for i, r := range g.rules {
		if r.Address.Matches(at) {
			p.rules[i], p.order = r.Path, append(p.order, i)
		}
	}
	if len(p.order) == 0 {
		return nil
	}
	d := differ{deciding: p, nullIsEmpty: drifted}
	d.tree = t
	marks := t.addMarks(t.addMarks(nil, change[fieldBeforeSensitive]), change[fieldAfterSensitive])
	d.walk(change[fieldBefore], change[fieldAfter], change[fieldAfterUnknown], marks, false)
	for _, c := range p.copies {
		if p.paths[c[1]] {
			p.paths[c[0]] = true
		} else {
			p.others++
		}
	}
	if len(p.paths) == 0 {
		return nil
	}
	return p
}

// resource returns what is ignored of a change of a resource, and counts it. drifted says that
// it was made outside of Terraform.
func (g *ignorer) resource(t *tree, c *resourceChange, drifted bool) *ignoredPart {
	if len(g.rules) == 0 || c.moves || c.imports {
		return nil
	}
	p := g.of(ignore.ReadInstance(t.label(c.resource[fieldAddress])), t, c.action, &c.change, drifted)
	if p == nil {
		return nil
	}
	if p.isWhole() && drifted {
		g.wholly.Drift++
	} else if p.isWhole() {
		g.wholly.Update++
	}
	if drifted == g.refreshOnly { // otherwise the same differences are in the other list, too
		g.add(p)
		g.count++
		keepResource(g.resources, t, c, "", view{drifted: drifted, ignored: p, onlyIgnored: true})
	}
	return p
}

// output reports whether the change of an output is ignored, and counts it. An output is
// ignored as a whole or not at all.
func (g *ignorer) output(t *tree, name string, action Action, change *[changeFieldCount]int32) bool {
	if len(g.rules) == 0 {
		return false
	}
	p := g.of(ignore.OutputInstance(name), t, action, change, false)
	if !p.isWhole() {
		return false
	}
	g.add(p)
	g.wholly.Outputs++
	return true
}

func (g *ignorer) add(p *ignoredPart) {
	for rule, n := range p.counts {
		g.differences[rule] += n
	}
}

// result is what was ignored.
func (g *ignorer) result() Ignored {
	i := Ignored{Resources: g.resources.items(), Outputs: g.outputs.items(), Wholly: g.wholly}
	i.More = g.count - len(i.Resources)
	for k, r := range g.rules {
		i.Uses = append(i.Uses, ignore.Use{Rule: r.String(), Differences: g.differences[k], Presence: g.finder.Found()[k]})
	}
	return i
}

// The AWS provider repeats an attribute with its default tags added. A difference in the copy is
// ignored together with the same difference in the original.
const (
	tagsAttribute = "tags"
	tagsCopy      = "tags_all"
)

// decide adds the difference at a path.
func (p *ignoredPart) decide(at []step) {
	steps := make([]ignore.Step, len(at))
	for i, s := range at {
		steps[i] = ignore.Step{Name: s.name, Index: s.index, IsIndex: s.isIndex}
	}
	covered := steps
	if p.alone > 0 { // that a block is there is a difference, too
		covered = steps[:p.alone]
	}
	for _, i := range p.order {
		if p.rules[i].Covers(covered) {
			p.paths[pathKey(at)] = true
			p.counts[i]++
			return
		}
	}
	if len(at) > 0 && at[0].name == tagsCopy {
		original := append([]step{{name: tagsAttribute}}, at[1:]...)
		p.copies = append(p.copies, [2]string{pathKey(at), pathKey(original)})
		return
	}
	p.others++
}

// has reports whether the difference at a path is ignored.
func (p *ignoredPart) has(at []step) bool {
	return p != nil && p.paths[pathKey(at)]
}

// pathKey is different for different paths.
func pathKey(at []step) string {
	var key []byte
	for _, s := range at {
		if s.isIndex {
			key = append(strconv.AppendInt(append(key, '#'), int64(s.index), 10), ',')
		} else {
			key = appendPathKey(key, s.name, false)
		}
	}
	return string(key)
}
