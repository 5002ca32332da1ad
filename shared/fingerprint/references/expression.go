package references

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// partKind says what a part of an expression's text is. Parts that are not constant stand for
// text that only Terraform knows.
type partKind int

const (
	constant   partKind = iota
	moduleBase          // path.module
	rootBase            // path.root or path.cwd: where Terraform runs
	unknown             // it has to be evaluated
)

type part struct {
	kind     partKind
	text     string // of a constant
	variable string // of an unknown part that is nothing but this variable
}

// parts are the text of an expression.
type parts []part

// mostForms limits how many texts one expression may have, such as the two results of a
// condition.
const mostForms = 32

// mostParts limits how many parts one text has.
const mostParts = 200

var anything = []parts{{{kind: unknown}}}

func text1(s string) []parts { return []parts{{{kind: constant, text: s}}} }

// concat joins each form of a with each of b.
func concat(a, b []parts) []parts {
	if len(a)*len(b) > mostForms {
		return anything
	}
	var all []parts
	for _, x := range a {
		for _, y := range b {
			if len(x)+len(y) > mostParts {
				return anything
			}
			all = append(all, append(append(make(parts, 0, len(x)+len(y)), x...), y...))
		}
	}
	return all
}

func either(a, b []parts) []parts {
	if len(a)+len(b) > mostForms {
		return anything
	}
	return append(append(make([]parts, 0, len(a)+len(b)), a...), b...)
}

// scope says what names in an expression stand for: each, and the variables of a `for`.
type scope struct {
	outer *scope
	name  string // a variable of a `for`; each.key, each.value
	forms []parts
}

func (s *scope) with(name string, forms []parts) *scope {
	if name == "" {
		return s
	}
	return &scope{s, name, forms}
}

func (s *scope) find(name string) ([]parts, bool) {
	for ; s != nil; s = s.outer {
		if s.name == name {
			return s.forms, true
		}
	}
	return nil, false
}

// readers are the functions whose first argument is the path of a file that they read.
// https://developer.hashicorp.com/terraform/language/functions
var readers = map[string]bool{
	"file": true, "fileexists": true, "filebase64": true, "templatefile": true, "filemd5": true, "filesha1": true,
	"filesha256": true, "filesha512": true, "filebase64sha256": true, "filebase64sha512": true, "filebase64gzip": true,
}

// same are functions that return the path that they get.
var same = map[string]bool{
	"abspath": true, "pathexpand": true, "tostring": true, "sensitive": true, "nonsensitive": true, "trimspace": true, "chomp": true, "ephemeralasnull": true,
}

// collections are functions that return the elements of their arguments.
var collections = map[string]bool{
	"toset": true, "tolist": true, "sort": true, "distinct": true, "concat": true, "flatten": true, "setunion": true, "reverse": true, "compact": true,
	"slice": true, "setsubtract": true, "setintersection": true, "sensitive": true, "nonsensitive": true, "coalescelist": true, "try": true, "tomap": true, "merge": true,
}

// forms are the texts that an expression may have. On the way it visits the expressions in it
// that are no part of its text, and keeps what functions read.
func (r *Reads) forms(e hclsyntax.Expression, in *scope) []parts {
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		if s, err := convert.Convert(e.Val, cty.String); err == nil && s.IsKnown() && !s.IsNull() {
			return text1(s.AsString())
		}
		return nil
	case *hclsyntax.TemplateExpr:
		all := []parts{nil}
		for _, p := range e.Parts {
			one := r.forms(p, in)
			if len(one) == 0 {
				one = anything
			}
			all = concat(all, one)
		}
		return all
	case *hclsyntax.TemplateWrapExpr:
		return r.forms(e.Wrapped, in)
	case *hclsyntax.ParenthesesExpr:
		return r.forms(e.Expression, in)
	case *hclsyntax.ObjectConsKeyExpr:
		if name := hcl.ExprAsKeyword(e.Wrapped); name != "" {
			return text1(name)
		}
		return r.forms(e.Wrapped, in)
	case *hclsyntax.ConditionalExpr:
		r.visit(e.Condition, in)
		return either(r.forms(e.TrueResult, in), r.forms(e.FalseResult, in))
	case *hclsyntax.ScopeTraversalExpr:
		return r.reference(e.Traversal, in)
	case *hclsyntax.FunctionCallExpr:
		return r.call(e, in)
	case *hclsyntax.IndexExpr:
		if e.Key != nil {
			r.visit(e.Key, in)
		}
		return r.elements(e.Collection, in)
	case *hclsyntax.TupleConsExpr:
		for _, item := range e.Exprs {
			r.visit(item, in)
		}
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			r.visit(item.KeyExpr, in)
			r.visit(item.ValueExpr, in)
		}
	case *hclsyntax.ForExpr:
		inner := r.forScope(e, in)
		if e.KeyExpr != nil {
			r.visit(e.KeyExpr, inner)
		}
		r.visit(e.ValExpr, inner)
		if e.CondExpr != nil {
			r.visit(e.CondExpr, inner)
		}
	case *hclsyntax.TemplateJoinExpr:
		return r.elements(e.Tuple, in)
	case *hclsyntax.SplatExpr:
		r.visit(e.Source, in)
		r.visit(e.Each, in)
	case *hclsyntax.RelativeTraversalExpr:
		r.visit(e.Source, in)
	case *hclsyntax.BinaryOpExpr:
		r.visit(e.LHS, in)
		r.visit(e.RHS, in)
	case *hclsyntax.UnaryOpExpr:
		r.visit(e.Val, in)
	}
	return anything
}

// forScope visits the collection of a `for`, and is the scope with its variables.
func (r *Reads) forScope(e *hclsyntax.ForExpr, in *scope) *scope {
	keys, values := r.pairs(e.CollExpr, in)
	return in.with(e.KeyVar, keys).with(e.ValVar, values)
}

// elements are the values of a collection.
func (r *Reads) elements(e hclsyntax.Expression, in *scope) []parts {
	_, values := r.pairs(e, in)
	return values
}

// pairs are the keys and values of a collection. Elements of a set are both.
func (r *Reads) pairs(e hclsyntax.Expression, in *scope) (keys, values []parts) {
	add := func(k, v []parts) {
		if len(keys)+len(k) > mostForms || len(values)+len(v) > mostForms {
			keys, values = anything, anything
			return
		}
		keys, values = append(keys, k...), append(values, v...)
	}
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return r.pairs(e.Expression, in)
	case *hclsyntax.TupleConsExpr:
		for _, item := range e.Exprs {
			v := r.forms(item, in)
			r.keep(v, item, false)
			add(v, v)
		}
		return keys, values
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			k, v := r.forms(item.KeyExpr, in), r.forms(item.ValueExpr, in)
			r.keep(k, item.KeyExpr, false)
			r.keep(v, item.ValueExpr, false)
			add(k, v)
		}
		return keys, values
	case *hclsyntax.ForExpr:
		inner := r.forScope(e, in)
		if e.CondExpr != nil {
			r.visit(e.CondExpr, inner)
		}
		values = r.forms(e.ValExpr, inner)
		r.keep(values, e.ValExpr, false)
		if keys = values; e.KeyExpr != nil {
			keys = r.forms(e.KeyExpr, inner)
		}
		return keys, values
	case *hclsyntax.ScopeTraversalExpr:
		if name, ok := localName(e.Traversal); ok {
			value := r.localValue(name)
			return value.keys, value.values
		}
	case *hclsyntax.FunctionCallExpr:
		switch {
		case e.Name == "fileset" && len(e.Args) == 2:
			pattern := r.forms(e.Args[1], in)
			r.fileset(e, r.forms(e.Args[0], in), pattern)
			for i, p := range pattern {
				pattern[i] = p.upToPattern()
			}
			return pattern, pattern
		case collections[e.Name]:
			for _, arg := range e.Args {
				k, v := r.pairs(arg, in)
				add(k, v)
			}
			return keys, values
		}
	}
	r.visit(e, in)
	return anything, anything
}

// upToPattern is the text up to the first wildcard; the rest is unknown.
func (p parts) upToPattern() parts {
	var all parts
	for _, one := range p {
		if one.kind == constant {
			if at := strings.IndexAny(one.text, wildcards); at >= 0 {
				return append(all, part{text: one.text[:at]}, part{kind: unknown})
			}
		}
		all = append(all, one)
	}
	return all
}

func localName(t hcl.Traversal) (string, bool) {
	if len(t) != 2 || t.RootName() != "local" {
		return "", false
	}
	attr, ok := t[1].(hcl.TraverseAttr)
	return attr.Name, ok
}

// localValue is what a local value may be: its texts, or its elements.
type localValue struct{ forms, keys, values []parts }

// localValue evaluates a local value, once. One that is defined by itself may be anything.
func (r *Reads) localValue(name string) localValue {
	if known, ok := r.known[name]; ok {
		return known
	}
	value := localValue{anything, anything, anything}
	if r.known == nil {
		r.known = make(map[string]localValue)
	}
	r.known[name] = value
	defined := r.locals[name]
	if len(defined) == 0 {
		return value
	}
	value = localValue{}
	r.quiet++
	for _, e := range defined {
		value.forms = either(value.forms, r.forms(e, nil))
		keys, values := r.pairs(e, nil)
		value.keys, value.values = either(value.keys, keys), either(value.values, values)
	}
	r.quiet--
	for i, form := range value.forms {
		// Whoever uses it means a path, and not text that begins with dots.
		if len(form) > 0 && form[0].kind == constant && form.beginsWithPath() {
			value.forms[i] = append(parts{{kind: rootBase}, {text: "/" + form[0].text}}, form[1:]...)
		}
	}
	r.known[name] = value
	return value
}

// reference is what path.module, a local value, or a variable of a `for` stands for.
func (r *Reads) reference(t hcl.Traversal, in *scope) []parts {
	root, second := t.RootName(), ""
	if len(t) > 1 {
		if attr, ok := t[1].(hcl.TraverseAttr); ok {
			second = attr.Name
		}
	}
	switch {
	case root == "path" && len(t) == 2 && second == "module":
		return []parts{{{kind: moduleBase}}}
	case root == "path" && len(t) == 2 && (second == "root" || second == "cwd"):
		return []parts{{{kind: rootBase}}}
	case root == "local" && len(t) == 2:
		return r.localValue(second).forms
	case root == "each" && len(t) == 2:
		if forms, ok := in.find("each." + second); ok {
			return forms
		}
	case root == "var" && len(t) == 2:
		return []parts{{{kind: unknown, variable: second}}}
	case len(t) == 1:
		if forms, ok := in.find(root); ok {
			return forms
		}
	}
	return anything
}

func (r *Reads) call(e *hclsyntax.FunctionCallExpr, in *scope) []parts {
	switch {
	case readers[e.Name] && len(e.Args) > 0:
		r.keep(r.forms(e.Args[0], in), e, true)
		for _, arg := range e.Args[1:] {
			r.visit(arg, in)
		}
		return anything
	case e.Name == "fileset" && len(e.Args) == 2:
		r.fileset(e, r.forms(e.Args[0], in), r.forms(e.Args[1], in))
		return anything
	case same[e.Name] && len(e.Args) == 1:
		return r.forms(e.Args[0], in)
	case e.Name == "dirname" && len(e.Args) == 1:
		return concat(r.forms(e.Args[0], in), text1("/.."))
	case e.Name == "basename":
		for _, arg := range e.Args { // it is only a name: nothing is read
			r.forms(arg, in)
		}
		return anything
	case (e.Name == "try" || e.Name == "coalesce") && len(e.Args) > 0:
		var all []parts
		for _, arg := range e.Args {
			all = either(all, r.forms(arg, in))
		}
		return all
	case e.Name == "join" && len(e.Args) > 1 && !e.ExpandFinal:
		if all, ok := r.join(e, in); ok {
			return all
		}
	case e.Name == "format" && len(e.Args) > 0 && !e.ExpandFinal:
		if all, ok := r.format(e, in); ok {
			return all
		}
	case (e.Name == "element" || e.Name == "one" || e.Name == "lookup") && len(e.Args) > 0:
		for _, arg := range e.Args[1:] {
			r.visit(arg, in)
		}
		return r.elements(e.Args[0], in)
	}
	for _, arg := range e.Args {
		r.visit(arg, in)
	}
	return anything
}

// join is join("/", [a, b]).
func (r *Reads) join(e *hclsyntax.FunctionCallExpr, in *scope) ([]parts, bool) {
	list, ok := e.Args[1].(*hclsyntax.TupleConsExpr)
	if !ok || len(e.Args) != 2 {
		return nil, false
	}
	separator := r.forms(e.Args[0], in)
	all := []parts{nil}
	for i, item := range list.Exprs {
		if i > 0 {
			all = concat(all, separator)
		}
		all = concat(all, r.forms(item, in))
	}
	return all, true
}

// format is format("%s/x", a).
func (r *Reads) format(e *hclsyntax.FunctionCallExpr, in *scope) ([]parts, bool) {
	spec := r.forms(e.Args[0], in)
	if len(spec) != 1 || len(spec[0]) != 1 || spec[0][0].kind != constant {
		return nil, false
	}
	all, rest, next := []parts{nil}, spec[0][0].text, 1
	for {
		before, verb, found := strings.Cut(rest, "%")
		all = concat(all, text1(before))
		if !found {
			break
		}
		switch {
		case strings.HasPrefix(verb, "%"):
			all = concat(all, text1("%"))
		case (strings.HasPrefix(verb, "s") || strings.HasPrefix(verb, "v")) && next < len(e.Args):
			all = concat(all, r.forms(e.Args[next], in))
			next++
		default: // with a width, say
			for _, arg := range e.Args[next:] {
				r.visit(arg, in)
			}
			return concat(all, anything), true
		}
		rest = verb[1:]
	}
	return all, true
}
