package gitops

import (
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// keyedField is a struct field that a key of gitops.yaml fills.
type keyedField struct {
	key   string
	index []int
	rules
}

// rules are the rules for the value of a key.
type rules struct {
	nonempty  bool // the string, list or mapping is not empty
	unique    bool // no two items of a list are equal
	multiline bool // newlines and tabs are allowed
	text      bool // a string may stand for a mapping: it is the value of each key
}

// keyedFields are the fields of a struct and of the structs that it embeds, in the order of
// their declaration.
func keyedFields(t reflect.Type) []keyedField {
	var fields []keyedField
	for _, f := range reflect.VisibleFields(t) {
		key, rest, _ := strings.Cut(f.Tag.Get("key"), ",")
		if key == "" {
			continue
		}
		has := strings.Split(rest, ",")
		fields = append(fields, keyedField{key, f.Index, rules{
			nonempty: slices.Contains(has, "nonempty"),
			unique:   slices.Contains(has, "unique"),
			text:     slices.Contains(has, "text"),
		}})
	}
	return fields
}

func isMapping(n ast.Node) bool {
	_, ok := n.(ast.MapNode)
	return ok
}

// textForEach reads a text into each field of the mapping that it stands for.
func (d *decoder) textForEach(n ast.Node, into reflect.Value, at place) error {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
	default:
		return d.fault(at, "%s must be a string or a mapping, not %s", at.named(), describe(n))
	}
	for _, f := range keyedFields(into.Type()) {
		if err := d.text(n, into.FieldByIndex(f.index), at, f.rules); err != nil {
			return err
		}
	}
	return nil
}

// allowedAt says where in the document a key is allowed: "at the top level or under a stack". It
// is empty if the key is not known in any of these places. Of several places, those under a key of the
// same name as the one that it is under come alone: `path` under `policy` is not the path of a component.
func allowedAt(key, under string) string {
	var places, alike []string
	for _, level := range []struct {
		where string
		of    reflect.Type
	}{
		{"at the top level", reflect.TypeFor[document]()},
		{"under a stack", reflect.TypeFor[stack]()},
		{"under a component", reflect.TypeFor[component]()},
		{"under a stack of a component", reflect.TypeFor[inStack]()},
		{"under `policy` at the top level", reflect.TypeFor[policy]()},
		{"under `approvals`", reflect.TypeFor[approvals]()},
		{"under `artifact-storage`", reflect.TypeFor[artifactStorage]()},
		{"under `plan` and `apply` of `google`", reflect.TypeFor[googleIdentity]()},
		{"under `plan` and `apply` of `azure`", reflect.TypeFor[azureIdentity]()},
	} {
		if slices.ContainsFunc(keyedFields(level.of), func(f keyedField) bool { return f.key == key }) {
			places = append(places, level.where)
			if strings.Contains(level.where, "`"+under+"`") {
				alike = append(alike, level.where)
			}
		}
	}
	if len(alike) > 0 {
		places = alike
	}
	if last := len(places) - 1; last > 0 {
		return strings.Join(places[:last], ", ") + " and " + places[last]
	}
	return strings.Join(places, "")
}
