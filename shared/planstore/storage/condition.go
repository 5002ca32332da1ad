package storage

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
)

// Condition says what must be stored for a write to be done: one of [Absent], [Missing],
// [Text], [Compare], [Not], [All] and [Any]. It is a value and not a function, since a
// backend may have to decide it where its items are.
type Condition interface {
	// Holds reports whether what is stored meets it; nil is nothing.
	Holds(stored Item) bool
}

// Absent holds when nothing is stored under the key.
type Absent struct{}

// Missing holds when there is no such attribute. A path is a name, or the names of a map and
// of what is in it, with a dot between them.
type Missing struct{ Path string }

// Text holds when the attribute is there, and is text.
type Text struct{ Path string }

// Compare compares an attribute with a value: text, in the order of its bytes, or a number.
// It does not hold when the attribute is missing, or of another type; but [Differs] does.
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

// Not holds when its condition does not.
type Not struct{ Condition Condition }

// All holds when all of its conditions do.
type All []Condition

// Any holds when one of its conditions does.
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

// absent is what is at a path that leads nowhere.
type absent struct{}

// at is the attribute that a path leads to.
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

// compare orders two texts or two whole numbers; false for anything else.
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
