// Package ignore decides which differences are accepted drift: the pattern language of
// `drift.ignore` in gitops.yaml. docs/drift.md describes it for people.
//
// A [Rule] has a pattern of addresses and the path of an attribute. It knows only names: which
// changes may be ignored at all, package changes decides.
package ignore

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits on the rules of one target. Its drift result stores what became of each.
const (
	MaxRules = 200
	maxText  = 300 // bytes of a pattern or a path
)

// ErrTooMany is the error for a target with more than [MaxRules] rules.
var ErrTooMany = fmt.Errorf("drift.ignore has more than %d attribute paths for one target", MaxRules)

// Rule ignores the differences in one attribute of the resources at some addresses. Only
// [ParseAddress] and [ParsePath] make the parts of one.
type Rule struct {
	Address Address
	Path    Path
}

// String is the rule on one line, as in gitops.yaml: `aws_iam_role.*: inline_policy`.
func (r Rule) String() string { return r.Address.text + ": " + r.Path.text }

// Distinct returns the rules without repeated ones, in the order given.
func Distinct(lists ...[]Rule) ([]Rule, error) {
	var all []Rule
	seen := map[string]bool{}
	for _, r := range slices.Concat(lists...) {
		if text := r.String(); !seen[text] {
			seen[text] = true
			all = append(all, r)
		}
	}
	if len(all) > MaxRules {
		return nil, ErrTooMany
	}
	return all, nil
}

// Address is a pattern of resource addresses.
type Address struct {
	text     string
	segments []segment
}

// segment is a part of an address between dots: a name and the key of an instance.
type segment struct {
	any  bool   // **: any number of segments
	name string // with * for any part of it
	key  string // see normal; anyKey for any; empty: with any key or none
}

// anyKey stands for any instance key.
const anyKey = "[*]"

var errAddress = errors.New("it can't be the address of a resource: write TYPE.NAME, with module.NAME. before it for each module, and ** for any number of parts. An output is output.NAME")

// ParseAddress reads a pattern of addresses, such as `aws_iam_role.*` or `module.eks.**`.
func ParseAddress(text string) (Address, error) {
	if len(text) > maxText {
		return Address{}, fmt.Errorf("it has %d bytes: at most %d", len(text), maxText)
	}
	parts, err := split(text)
	if err != nil {
		return Address{}, err
	}
	a := Address{text: text}
	anywhere := false
	for _, p := range parts {
		s := segment{any: p.name == "**", name: p.name, key: normal(p.key)}
		switch {
		case s.any && s.key != "":
			return Address{}, errors.New("** stands for whole parts of an address, so it has no instance key")
		case !s.any && !isName(p.name):
			return Address{}, fmt.Errorf("%q is no name: write letters, digits, - and _, with * for any part of a name, and ** alone between dots", p.name)
		case p.key != "" && p.key != anyKey && !isKey(p.key):
			return Address{}, fmt.Errorf("%s is no instance key: write [0], [\"name\"], or [*] for any", p.key)
		}
		anywhere = anywhere || s.any
		a.segments = append(a.segments, s)
	}
	if !anywhere && !a.possible() {
		return Address{}, errAddress
	}
	return a, nil
}

// possible reports whether an address can match a pattern without **.
func (a Address) possible() bool {
	n := len(a.segments)
	if n == 0 || n%2 == 1 {
		return false
	}
	for i := 0; i < n-2; i += 2 {
		if !glob(a.segments[i].name, "module") {
			return false
		}
	}
	last := a.segments[n-2].name
	return last != "module" && last != "data"
}

func (a Address) String() string { return a.text }

// Output reports whether the pattern is one of outputs, and not of resources.
func (a Address) Output() bool { return len(a.segments) == 2 && a.segments[0].name == outputs }

const outputs = "output"

// Instance is the address of a resource instance or an output, ready to be matched.
type Instance struct{ parts []part }

// ReadInstance reads an address as Terraform prints it. An address that it can't read matches
// no pattern.
func ReadInstance(address string) Instance {
	parts, err := split(address)
	if err != nil {
		return Instance{}
	}
	for i := range parts {
		parts[i].key = normal(parts[i].key)
	}
	return Instance{parts}
}

// InstanceOf is the address of a resource instance in a module, as a state has them. key is a
// string or a number; nil if the instance has none. module is empty for the root module.
func InstanceOf(module, kind, name string, key any) Instance {
	i := Instance{}
	if module != "" {
		if i = ReadInstance(module); len(i.parts) == 0 {
			return i
		}
	}
	last := part{name: name}
	switch key := key.(type) {
	case nil:
	case string:
		last.key = quotedKey(key)
	case float64: // as JSON has numbers
		last.key = "[" + strconv.FormatFloat(key, 'f', -1, 64) + "]"
	}
	i.parts = append(i.parts, part{name: kind}, last)
	return i
}

func (i Instance) isOutput() bool { return len(i.parts) == 2 && i.parts[0].name == outputs }

// OutputInstance is the address of an output of the root module.
func OutputInstance(name string) Instance {
	return Instance{[]part{{name: outputs}, {name: name}}}
}

// Matches reports whether the pattern matches an address.
func (a Address) Matches(i Instance) bool {
	if len(i.parts) == 0 || a.Output() != i.isOutput() {
		return false
	}
	return matchAll(len(a.segments), len(i.parts),
		func(s int) bool { return a.segments[s].any },
		func(s, p int) bool {
			pattern, is := a.segments[s], i.parts[p]
			switch pattern.key {
			case "", is.key:
			case anyKey:
				if is.key == "" {
					return false
				}
			default:
				return false
			}
			return glob(pattern.name, is.name)
		})
}

// Path is the path of an attribute.
type Path struct {
	text  string
	steps []pathStep
}

type pathStep struct {
	any   bool   // **: any number of steps
	exact bool   // name is written in brackets and quotation marks
	name  string // with * for any part of it, unless exact
	index int    // -1: a list's index can't match
}

// Step is one step from a resource to a value in it.
type Step struct {
	Name    string // an attribute's name, or the key in a map
	Index   int    // the index in a list
	IsIndex bool
}

// ParsePath reads the path of an attribute, such as `tags.LastScan` or `ingress.*.description`.
func ParsePath(text string) (Path, error) {
	if len(text) > maxText {
		return Path{}, fmt.Errorf("it has %d bytes: at most %d", len(text), maxText)
	}
	parts, err := split(text)
	if err != nil {
		return Path{}, err
	}
	p := Path{text: text}
	add := func(name string, exact bool) error {
		s := pathStep{any: name == "**" && !exact, exact: exact, name: name, index: -1}
		if strings.Contains(name, "**") && !s.any && !exact {
			return fmt.Errorf("%q: ** stands alone between dots", name)
		}
		if n, err := strconv.Atoi(name); err == nil && n >= 0 && !exact {
			s.index = n
		}
		p.steps = append(p.steps, s)
		return nil
	}
	for i, part := range parts {
		if part.name == "" && (i > 0 || part.key == "") {
			return Path{}, errors.New("it has an empty name: write names with a dot between them")
		}
		if part.name == "" {
			return Path{}, errors.New("it begins with a bracket: begin with the attribute's name")
		}
		if err := add(part.name, false); err != nil {
			return Path{}, err
		}
		for _, key := range keys(part.key) {
			switch name, quoted := unquote(key); {
			case quoted:
				err = add(name, true)
			case key == anyKey:
				err = add("*", false)
			case isKey(key):
				err = add(key[1:len(key)-1], false)
			default:
				err = fmt.Errorf("%s is no key: write [0], [\"name\"], or [*] for any", key)
			}
			if err != nil {
				return Path{}, err
			}
		}
	}
	if len(p.steps) == 0 {
		return Path{}, errors.New("it is empty: write an attribute's name, or ** for all attributes")
	}
	return p, nil
}

func (p Path) String() string { return p.text }

// Covers reports whether the path is that of the value at these steps, or of a value around it.
func (p Path) Covers(at []Step) bool {
	n := len(p.steps)
	return matchAll(n+1, len(at),
		func(s int) bool { return s == n || p.steps[s].any },
		func(s, a int) bool { return p.steps[s].matches(at[a]) })
}

// CanBegin reports whether the path may be in an attribute with this name.
func (p Path) CanBegin(attribute string) bool {
	return p.steps[0].any || p.steps[0].matches(Step{Name: attribute})
}

func (s pathStep) matches(at Step) bool {
	switch {
	case at.IsIndex:
		return s.index == at.Index || !s.exact && s.name == "*"
	case s.exact:
		return s.name == at.Name
	}
	return glob(s.name, at.Name)
}

// matchAll matches n parts of a pattern with m parts of a text. Parts for which any is true
// match any number of parts. It takes time in proportion to n times m.
func matchAll(n, m int, any func(i int) bool, match func(i, j int) bool) bool {
	i, j := 0, 0
	back, from := -1, 0 // the last any, and the first part that comes after it
	for j < m {
		switch {
		case i < n && any(i):
			back, from = i, j
			i++
		case i < n && match(i, j):
			i++
			j++
		case back >= 0:
			from++
			i, j = back+1, from
		default:
			return false
		}
	}
	for i < n && any(i) {
		i++
	}
	return i == n
}

// glob matches a name, in which * stands for any number of bytes.
func glob(pattern, name string) bool {
	if !strings.Contains(pattern, "*") {
		return pattern == name
	}
	return matchAll(len(pattern), len(name), func(i int) bool { return pattern[i] == '*' }, func(i, j int) bool { return pattern[i] == name[j] })
}
