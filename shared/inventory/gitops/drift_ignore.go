package gitops

import (
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// ignored is an entry of drift.ignore: a pattern of addresses, with the paths of attributes.
type ignored struct {
	address text
	paths   []text
}

var ignoredType = reflect.TypeFor[[]ignored]()

// ignoreList reads a list of mappings from patterns to lists of paths, or one such mapping.
func (d *decoder) ignoreList(n ast.Node, into reflect.Value, at place) error {
	items := []ast.Node{n}
	seq, isList := n.(*ast.SequenceNode)
	if isList {
		items = seq.Values
	}
	var all []ignored
	for i, item := range items {
		here := at
		if isList {
			here.name = fmt.Sprintf("%s[%d]", at.name, i)
		}
		item = d.follow(item)
		if line, column := position(item); line > 0 {
			here.line, here.column = line, column
		}
		if !isMapping(item) {
			return d.fault(here, "%s must be a mapping from an address to a list of attributes, such as `aws_iam_role.*: [inline_policy]`, not %s", here.named(), describe(item))
		}
		entries, err := d.entries(item, here)
		if err != nil {
			return err
		}
		for _, e := range entries {
			one := ignored{address: text{value: e.key, set: true, at: e.at}}
			if err := d.value(e.value, reflect.ValueOf(&one.paths).Elem(), e.at, rules{}); err != nil {
				return err
			}
			if len(one.paths) == 0 {
				return d.fault(e.at, "%s must name an attribute, or `**` for all attributes", e.at.named())
			}
			all = append(all, one)
		}
	}
	into.Set(reflect.ValueOf(all))
	return nil
}

// ignoreRules are the rules of a layer.
func (c *Config) ignoreRules(l layer) (all []ignore.Rule, err error) {
	for _, i := range l.Drift.Ignore {
		address, err := ignore.ParseAddress(i.address.value)
		if err != nil {
			return nil, c.fault(i.address.at, err, "%s", i.address.at.named())
		}
		for _, p := range i.paths {
			path, err := ignore.ParsePath(p.value)
			if err != nil {
				return nil, c.fault(p.at, err, "%s, %s", p.at.named(), problem.Quote(p.value))
			}
			all = append(all, ignore.Rule{Address: address, Path: path})
		}
	}
	return all, nil
}

// driftIgnore adds up the rules of all layers.
func (r resolver) driftIgnore() ([]ignore.Rule, error) {
	var all [][]ignore.Rule
	for _, l := range r.layers() {
		rules, err := r.ignoreRules(*l)
		if err != nil {
			return nil, err
		}
		all = append(all, rules)
	}
	rules, err := ignore.Distinct(all...)
	if err != nil {
		return nil, r.fault(r.comp.At, err, "component %s in stack %s", problem.Quote(r.componentName), problem.Quote(r.stackName))
	}
	return rules, nil
}
