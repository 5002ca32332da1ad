package ignore

import (
	"fmt"
	"slices"
)

// Presence says what there is for a rule to match. A rule for what is not there may have a
// mistake.
type Presence string

// What there is, from the least to the most. Presence is about names of attributes only: the
// key in a map may come and go.
const (
	NotKnown    Presence = ""             // nobody could look
	NoResource  Presence = "no-resource"  // no resource or output has such an address
	NoAttribute Presence = "no-attribute" // none of these resources has an attribute of this name
	Present     Presence = "present"
)

var ranks = []Presence{NotKnown, NoResource, NoAttribute, Present}

// Most returns the one that says more.
func (p Presence) Most(q Presence) Presence {
	if slices.Index(ranks, q) > slices.Index(ranks, p) {
		return q
	}
	return p
}

// Use is what became of a rule in a plan.
type Use struct {
	Rule        string   `json:"rule"`                  // see [Rule.String]
	Differences int      `json:"differences,omitempty"` // that it ignored
	Presence    Presence `json:"presence,omitempty"`
}

// Check refuses what [Rule.String] and a plan can't have made.
func (u Use) Check() error {
	if u.Rule == "" || len(u.Rule) > 2*maxText+len(": ") || !slices.Contains(ranks, u.Presence) || u.Differences < 0 {
		return fmt.Errorf("%.80q, %d, %.20q is no use of a rule of drift.ignore", u.Rule, u.Differences, u.Presence)
	}
	return nil
}

// Finder finds out what there is for rules to match.
type Finder struct {
	rules []Rule
	found []Presence
}

// NewFinder returns a finder that has seen nothing yet.
func NewFinder(rules []Rule) *Finder {
	return &Finder{rules, slices.Repeat([]Presence{NoResource}, len(rules))}
}

// See takes a resource or an output into account. has reports whether it has an attribute that a
// path can begin with.
func (f *Finder) See(i Instance, has func(Path) bool) {
	for k, r := range f.rules {
		if f.found[k] == Present || !r.Address.Matches(i) {
			continue
		}
		f.found[k] = f.found[k].Most(NoAttribute)
		if i.isOutput() || has(r.Path) {
			f.found[k] = Present
		}
	}
}

// Found is what there is, for each rule.
func (f *Finder) Found() []Presence { return f.found }
