package target

import (
	"reflect"
	"slices"
	"strings"
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
		}})
	}
	return fields
}
