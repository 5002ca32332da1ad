package storage

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
)

// Condition says what must be stored for a write to happen. It is one of [Absent], [Missing],
// [Text], [Compare], [Not], [All] and [Any]: a value and not a function, since DynamoDB decides
// it itself.
type Condition interface {
	// Holds reports whether a stored item meets the condition; nil is no item.
	Holds(stored Item) bool
}

// Absent holds if nothing is stored under the key.
type Absent struct{}

// Missing holds if the attribute does not exist. A path is a name, or the name of a map and of
// what is in it, with a dot between them.
type Missing struct{ Path string }

// Text holds if the attribute exists and is text.
type Text struct{ Path string }

// Compare compares an attribute with a value: a number, or text by its bytes. If the attribute
// is missing or has another type, only [Differs] holds.
type Compare struct {
	Path  string
	Is    Comparison
	Value any // string or json.Number
}

// Comparison is how a [Compare] compares.
type Comparison string

// The comparisons, as DynamoDB writes them.
const (
	Equals  Comparison = "="
	Differs Comparison = "<>"
	Before  Comparison = "<"
	AtMost  Comparison = "<="
	After   Comparison = ">"
)

// Not holds if its condition does not.
type Not struct{ Condition Condition }

// All holds if all of its conditions do.
type All []Condition

// Any holds if one of its conditions does.
type Any []Condition

// Holds implements [Condition].
func (Absent) Holds(stored Item) bool { return stored == nil }

// Holds implements [Condition].
func (c Missing) Holds(stored Item) bool { return stored.at(c.Path) == absent{} }

// Holds implements [Condition].
func (c Text) Holds(stored Item) bool {
	_, ok := stored.at(c.Path).(string)
	return ok
}

// Holds implements [Condition].
func (c Compare) Holds(stored Item) bool {
	order, ok := compare(stored.at(c.Path), c.Value)
	switch c.Is {
	case Equals:
		return ok && order == 0
	case Differs:
		return !ok || order != 0
	case Before:
		return ok && order < 0
	case AtMost:
		return ok && order <= 0
	case After:
		return ok && order > 0
	}
	return false
}

// Holds implements [Condition].
func (c Not) Holds(stored Item) bool { return !c.Condition.Holds(stored) }

// Holds implements [Condition].
func (c All) Holds(stored Item) bool {
	return !slices.ContainsFunc(c, func(c Condition) bool { return !c.Holds(stored) })
}

// Holds implements [Condition].
func (c Any) Holds(stored Item) bool {
	return slices.ContainsFunc(c, func(c Condition) bool { return c.Holds(stored) })
}

// absent is the value of an attribute that does not exist.
type absent struct{}

// at returns the attribute at a path.
func (i Item) at(path string) any {
	var value any = map[string]any(i)
	for name := range strings.SplitSeq(path, ".") {
		attributes, _ := value.(map[string]any)
		var ok bool
		if value, ok = attributes[name]; !ok {
			return absent{}
		}
	}
	return value
}

// compare orders two texts or two integers; false for anything else.
func compare(a, b any) (int, bool) {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return cmp.Compare(a, b), ok
	case json.Number:
		b, _ := b.(json.Number)
		x, okX := new(big.Int).SetString(a.String(), 10)
		y, okY := new(big.Int).SetString(b.String(), 10)
		if !okX || !okY {
			return 0, false
		}
		return x.Cmp(y), true
	}
	return 0, false
}
