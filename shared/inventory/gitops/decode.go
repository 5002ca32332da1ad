package gitops

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// decode fills a document from YAML and checks its form: known keys, types, no duplicates,
// the rules in the tags. What the values mean, check finds out.
//
// It walks the syntax tree itself, so that each text knows its place for errors that are
// found later, and so that an error names the key and what may be there instead.
func decode(file string, content []byte) (document, error) {
	var doc document
	body, err := parseYAML(file, content)
	if err != nil {
		return doc, err
	}
	if body == nil {
		return doc, &Error{File: file, Line: 1, Column: 1, Message: "is empty: list `components` and `stacks`, or set `discover`, or at least `artifact-storage`"}
	}
	aliases, err := resolveAliases(file, body)
	if err != nil {
		return doc, err
	}
	d := &decoder{file: file, aliases: aliases}
	return doc, d.value(body, reflect.ValueOf(&doc).Elem(), place{line: 1, column: 1}, rules{})
}

// maxValues limits how many values aliases and merge keys can make of a small file.
const maxValues = 2 * maxTokens

type decoder struct {
	file    string
	aliases map[*ast.AliasNode]ast.Node
	values  int // read so far; a value that aliases repeat counts each time
}

func (d *decoder) fault(at place, format string, args ...any) error {
	return &Error{File: d.file, Line: at.line, Column: at.column, Key: at.key(), Message: fmt.Sprintf(format, args...)}
}

func (d *decoder) count(at place) error {
	if d.values++; d.values > maxValues {
		return d.fault(at, "aliases repeat too much: more than %d values in all", maxValues)
	}
	return nil
}

var (
	textType        = reflect.TypeFor[text]()
	flagType        = reflect.TypeFor[flag]()
	numberType      = reflect.TypeFor[number]()
	membershipsType = reflect.TypeFor[memberships]()
)

// value reads a node into a text, a list of texts, a map, or a struct with keyed fields.
func (d *decoder) value(n ast.Node, into reflect.Value, at place, keep rules) error {
	if err := d.count(at); err != nil {
		return err
	}
	n = d.follow(n)
	if line, column := position(n); line > 0 {
		at.line, at.column = line, column
	}
	switch {
	case into.Type() == textType:
		return d.text(n, into, at, keep)
	case into.Type() == flagType:
		b, ok := n.(*ast.BoolNode)
		if !ok {
			return d.fault(at, "%s must be true or false, not %s", at.named(), describe(n))
		}
		into.Set(reflect.ValueOf(flag{value: b.Value, set: true, at: at}))
		return nil
	case into.Type() == numberType:
		return d.number(n, into, at)
	case into.Type() == membershipsType:
		return d.memberships(n, into, at, keep)
	case into.Type() == ignoredType:
		return d.ignoreList(n, into, at)
	case into.Kind() == reflect.Slice:
		return d.list(n, into, at, keep)
	case into.Kind() == reflect.Map:
		return d.mapping(n, into, at, keep)
	case keep.text && !isMapping(n):
		return d.textForEach(n, into, at)
	default:
		return d.object(n, into, at)
	}
}

// follow returns the node that aliases and anchors lead to.
func (d *decoder) follow(n ast.Node) ast.Node {
	for {
		switch to := n.(type) {
		case *ast.AliasNode:
			n = d.aliases[to]
		case *ast.AnchorNode:
			n = to.Value
		default:
			return n
		}
	}
}

func (d *decoder) text(n ast.Node, into reflect.Value, at place, keep rules) error {
	t := text{set: true, at: at}
	switch n := n.(type) {
	case *ast.StringNode:
		t.value = n.Value
	case *ast.LiteralNode:
		t.value = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return d.fault(at, "%s must be a string, not %s: put it in quotes", at.named(), describe(n))
	default:
		return d.fault(at, "%s must be a string, not %s", at.named(), describe(n))
	}
	if t.value == "" && keep.nonempty {
		return d.fault(at, "%s must not be empty", at.named())
	}
	if !utf8.ValidString(t.value) || strings.ContainsFunc(t.value, func(r rune) bool {
		return r == 0 || unicode.IsControl(r) && !(keep.multiline && (r == '\n' || r == '\r' || r == '\t'))
	}) {
		return d.fault(at, "%s must not have control characters", at.named())
	}
	into.Set(reflect.ValueOf(t))
	return nil
}

// number reads a count. Its limit is that of approvals, which alone have one.
func (d *decoder) number(n ast.Node, into reflect.Value, at place) error {
	i, ok := n.(*ast.IntegerNode)
	value, err := 0, error(nil)
	if ok {
		value, err = strconv.Atoi(i.GetToken().Value)
	}
	if !ok || err != nil || value < 0 || value > inventory.MaxApprovals {
		return d.fault(at, "%s must be a whole number from 0 to %d, not %s", at.named(), inventory.MaxApprovals, describe(n))
	}
	into.Set(reflect.ValueOf(number{value: value, set: true, at: at}))
	return nil
}

func (d *decoder) list(n ast.Node, into reflect.Value, at place, keep rules) error {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		todo := ""
		if _, is := n.(*ast.StringNode); is {
			todo = ": put it in brackets"
		}
		return d.fault(at, "%s must be a list of strings, not %s%s", at.named(), describe(n), todo)
	}
	if len(seq.Values) == 0 && keep.nonempty {
		return d.fault(at, "%s must name at least one, or be left out", at.named())
	}
	texts := make([]text, len(seq.Values))
	seen := make(map[string]bool)
	for i, item := range seq.Values {
		here := at
		here.name = fmt.Sprintf("%s[%d]", at.name, i)
		if err := d.value(item, reflect.ValueOf(&texts[i]).Elem(), here, rules{nonempty: true}); err != nil {
			return err
		}
		if keep.unique && seen[texts[i].value] {
			return d.fault(texts[i].at, "%s repeats %s", at.named(), problem.Quote(texts[i].value))
		}
		seen[texts[i].value] = true
	}
	into.Set(reflect.ValueOf(texts))
	return nil
}

// everyOther is the name that stands for all stacks that a mapping does not name.
const everyOther = "*"

// memberships reads a list of stacks, or a mapping of them.
func (d *decoder) memberships(n ast.Node, into reflect.Value, at place, keep rules) error {
	var all memberships
	switch n.(type) {
	case *ast.SequenceNode:
		var names []text
		if err := d.list(n, reflect.ValueOf(&names).Elem(), at, keep); err != nil {
			return err
		}
		for _, name := range names {
			all = append(all, membership{name: name})
		}
	case ast.MapNode:
		named := make(map[string]inStack)
		if err := d.mapping(n, reflect.ValueOf(&named).Elem(), at, keep); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(named)) {
			in := named[name]
			all = append(all, membership{text{value: name, set: true, at: in.At}, &in})
		}
	default:
		return d.fault(at, "%s must be a list of stacks, or a mapping of them, not %s", at.named(), describe(n))
	}
	into.Set(reflect.ValueOf(all))
	return nil
}

func (d *decoder) mapping(n ast.Node, into reflect.Value, at place, keep rules) error {
	entries, err := d.entries(n, at)
	if err != nil {
		return err
	}
	if len(entries) == 0 && keep.nonempty {
		return d.fault(at, "%s must have at least one entry", at.named())
	}
	into.Set(reflect.MakeMapWithSize(into.Type(), len(entries)))
	for _, e := range entries {
		elem := reflect.New(into.Type().Elem()).Elem()
		if err := d.value(e.value, elem, e.at, rules{multiline: true}); err != nil {
			return err
		}
		if elem.Kind() == reflect.Struct && elem.Type() != textType {
			elem.FieldByName("At").Set(reflect.ValueOf(e.at))
		}
		into.SetMapIndex(reflect.ValueOf(e.key), elem)
	}
	return nil
}

func (d *decoder) object(n ast.Node, into reflect.Value, at place) error {
	entries, err := d.entries(n, at)
	if err != nil {
		return err
	}
	fields := keyedFields(into.Type())
	for _, e := range entries {
		i := slices.IndexFunc(fields, func(f keyedField) bool { return f.key == e.key })
		if i < 0 {
			var choices []string
			for _, f := range fields {
				choices = append(choices, f.key)
			}
			where, here := "", "here"
			if at.name != "" {
				where, here = " under "+at.key(), "under "+at.key()
			}
			if allowed := allowedAt(e.key, at.name); allowed != "" {
				return d.fault(e.at, "the key %s is not allowed %s, but %s", problem.Quote(e.key), here, allowed)
			}
			return d.fault(e.at, "unknown key %s%s: %s", problem.Quote(e.key), where, problem.Suggest(e.key, choices))
		}
		if err := d.value(e.value, into.FieldByIndex(fields[i].index), e.at, fields[i].rules); err != nil {
			return err
		}
	}
	return nil
}

type entry struct {
	key   string
	at    place // of the key
	value ast.Node
}

// entries are the entries of a mapping, in order, and then those that `<<` merges into it,
// unless it has the key itself. An empty value is an empty mapping: `network:` is a component
// with defaults only.
func (d *decoder) entries(n ast.Node, at place) ([]entry, error) {
	if _, nothing := n.(*ast.NullNode); nothing || n == nil {
		return nil, nil
	}
	m, ok := n.(ast.MapNode)
	if !ok {
		what := "the document"
		if at.name != "" {
			what = at.named()
		}
		return nil, d.fault(at, "%s must be a mapping, not %s", what, describe(n))
	}
	var entries []entry
	var merges []ast.Node
	have := make(map[string]place)
	for each := m.MapRange(); each.Next(); {
		tk := each.Key().GetToken()
		key := tk.Value // as written: 0123 is a name, not a number
		here := at.below(key, tk.Position.Line, tk.Position.Column)
		if err := d.count(here); err != nil {
			return nil, err
		}
		if each.Key().IsMergeKey() {
			merges = append(merges, each.Value())
			continue
		}
		if _, scalar := each.Key().(ast.ScalarNode); !scalar || isReference(each.Key()) {
			return nil, d.fault(here, "a key must be plain text: put it in quotes if it begins with * or another special character")
		}
		if first, twice := have[key]; twice {
			return nil, d.fault(here, "%s is set twice: first in line %d", here.named(), first.line)
		}
		have[key] = here
		entries = append(entries, entry{key, here, each.Value()})
	}
	for _, from := range merges {
		sources := []ast.Node{d.follow(from)}
		if seq, ok := sources[0].(*ast.SequenceNode); ok {
			sources = seq.Values
		}
		for _, source := range sources {
			merged, err := d.entries(d.follow(source), at)
			if err != nil {
				return nil, err
			}
			for _, e := range merged {
				if err := d.count(e.at); err != nil {
					return nil, err
				}
				if _, own := have[e.key]; !own {
					have[e.key] = e.at
					entries = append(entries, e)
				}
			}
		}
	}
	return entries, nil
}

func isReference(key ast.Node) bool {
	switch key.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return true
	}
	return false
}

// describe says what a node is, in YAML's words.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return "empty"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + problem.Quote(n.GetToken().Value)
	case *ast.BoolNode:
		return "the boolean " + problem.Quote(n.GetToken().Value)
	case *ast.StringNode, *ast.LiteralNode:
		return "a string"
	case ast.MapNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.TagNode:
		return "a tagged value"
	}
	return "something else"
}
