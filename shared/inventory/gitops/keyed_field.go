package gitops

import (
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// keyedField is a field of a document's struct that a key of gitops.yaml
// fills.
type keyedField struct {
	key   string
	index []int
	rules
}

// rules are what the value of a key must keep.
type rules struct {
	required  bool // the key must be there
	nonempty  bool // a string, list or mapping with something in it
	unique    bool // no two items of a list are equal
	multiline bool // newlines and tabs are allowed
	text      bool // a string in place of a mapping is the value of each of its keys
}

// keyedFields are those of a struct and of the structs embedded in it, in the
// order of their declaration.
func keyedFields(t reflect.Type) []keyedField {
	var fields []keyedField
	for _, f := range reflect.VisibleFields(t) {
		key, rest, _ := strings.Cut(f.Tag.Get("key"), ",")
		if key == "" {
			continue
		}
		has := strings.Split(rest, ",")
		fields = append(fields, keyedField{key, f.Index, rules{
			required: slices.Contains(has, "required"),
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

// textForEach reads a text that stands for a whole mapping.
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
