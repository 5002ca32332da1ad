package changes

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits on one value that is parsed: a resource change, a check, or all output changes
// together. They are far above what providers send (gRPC limits a message, which has both sides
// of every attribute, to 256 MiB), and limit the memory that hostile input can take.
const (
	maxValueBytes = 64 << 20 // JSON text
	maxValueNodes = 1 << 20  // objects, lists and scalars
	maxValueDepth = 256      // objects and lists in one another
)

var (
	errTooManyNodes = fmt.Errorf("it holds more than %d values", maxValueNodes)
	errTooDeep      = fmt.Errorf("it is nested deeper than %d levels", maxValueDepth)
)

// absent is the index of a node that does not exist.
const absent int32 = -1

// tree is one JSON value, laid out flat: a node is followed by its children,
// each with its own. One tree is reused for value after value, so that reading
// takes no memory for each value.
type tree struct {
	raw     []byte
	nodes   []node
	stack   []int32 // scratch for [tree.members]
	scratch []byte  // scratch for decoding strings
}

// node is one value in a tree. Offsets are into tree.raw.
type node struct {
	kind               jsontext.Kind
	nameEscaped        bool
	textEscaped        bool  // a string with a backslash in it
	nameStart, nameEnd int32 // member name in quotes; both 0 outside of objects
	start, end         int32 // JSON text
	next               int32 // the node after this one and all below it
	size               int32 // number of children
}

// parse lays out raw, which must be one valid JSON value without duplicate
// names, as [jsontext.Decoder.ReadValue] returns it. The tree refers to raw, so it is valid until
// raw changes.
func (t *tree) parse(raw []byte) error {
	t.raw, t.nodes, t.stack = raw, t.nodes[:0], t.stack[:0]
	var parents [maxValueDepth]int32 // of the next value: parents[:depth]
	depth := 0
	parent, inObject := absent, false
	nameStart, nameEnd, nameEscaped := 0, 0, false // of the member whose value comes next
	for i := 0; i < len(raw); {
		start, kind, escaped := i, raw[i], false
		switch kind {
		case ' ', '\t', '\n', '\r', ',', ':':
			i++
			continue
		case '}', ']':
			i++
			t.nodes[parent].end, t.nodes[parent].next = int32(i), int32(len(t.nodes))
			if depth--; depth > 0 {
				parent = parents[depth-1]
				inObject = t.nodes[parent].kind == '{'
			}
			continue
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					escaped = true
					i++
				}
			}
			i++
			if inObject && nameEnd == 0 {
				nameStart, nameEnd, nameEscaped = start, i, escaped
				continue
			}
		case '{', '[':
			i++
		case 't', 'n':
			i += len("true")
		case 'f':
			i += len("false")
		default:
			kind = '0'
			for i < len(raw) && raw[i] > ' ' && raw[i] != ',' && raw[i] != ']' && raw[i] != '}' {
				i++
			}
		}
		if len(t.nodes) == maxValueNodes {
			return errTooManyNodes
		}
		this := int32(len(t.nodes))
		// The node is filled in place: copying a struct that was just written is slow.
		t.nodes = append(t.nodes, node{})
		n := &t.nodes[this]
		n.kind, n.textEscaped, n.nameEscaped = jsontext.Kind(kind), escaped, nameEscaped
		n.nameStart, n.nameEnd, n.start, n.end = int32(nameStart), int32(nameEnd), int32(start), int32(i)
		n.next = this + 1
		if depth > 0 {
			t.nodes[parent].size++
		}
		nameStart, nameEnd = 0, 0
		if kind == '{' || kind == '[' {
			if depth == maxValueDepth {
				return errTooDeep
			}
			parent, inObject = this, kind == '{'
			parents[depth] = this
			depth++
		}
	}
	return nil
}

// kind is the kind of node i, 0 when it is absent.
func (t *tree) kind(i int32) jsontext.Kind {
	if i == absent {
		return 0
	}
	return t.nodes[i].kind
}

// isNothing reports whether node i is absent or null.
func (t *tree) isNothing(i int32) bool {
	return i == absent || t.nodes[i].kind == 'n'
}

// size is the number of children of node i, 0 when it is absent.
func (t *tree) size(i int32) int {
	if i == absent {
		return 0
	}
	return int(t.nodes[i].size)
}

// text is the JSON text of node i.
func (t *tree) text(i int32) []byte {
	return t.raw[t.nodes[i].start:t.nodes[i].end]
}

// name is the decoded member name of node i.
func (t *tree) name(i int32) []byte {
	n := &t.nodes[i]
	if n.nameEnd == 0 {
		return nil
	}
	if !n.nameEscaped {
		return t.raw[n.nameStart+1 : n.nameEnd-1]
	}
	name, _ := jsontext.AppendUnquote(nil, t.raw[n.nameStart:n.nameEnd])
	return name
}

// str is the decoded contents of the string i, good until the next call.
func (t *tree) str(i int32) []byte {
	n := &t.nodes[i]
	if !n.textEscaped {
		return t.raw[n.start+1 : n.end-1]
	}
	t.scratch, _ = jsontext.AppendUnquote(t.scratch[:0], t.text(i))
	return t.scratch
}

// children yields the children of node i in the document's order.
func (t *tree) children(i int32) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		if i == absent || t.nodes[i].size == 0 {
			return
		}
		for c := i + 1; c < t.nodes[i].next; c = t.nodes[c].next {
			if !yield(c) {
				return
			}
		}
	}
}

// members pushes the children of object i on the stack, sorted by name, and
// returns where they begin; the caller truncates the stack when done with them.
// Terraform prints attributes sorted, so that sorting is the exception.
func (t *tree) members(i int32) (from int) {
	from = len(t.stack)
	sorted := true
	for c := range t.children(i) {
		if sorted && len(t.stack) > from {
			sorted = bytes.Compare(t.name(t.stack[len(t.stack)-1]), t.name(c)) < 0
		}
		t.stack = append(t.stack, c)
	}
	if !sorted {
		slices.SortFunc(t.stack[from:], func(a, b int32) int {
			return bytes.Compare(t.name(a), t.name(b))
		})
	}
	return from
}

// appendCanonical appends node i as JSON that is the same for equal values:
// no whitespace, names sorted, strings escaped in one way, numbers as they are
// written. An absent node is null.
func (t *tree) appendCanonical(dst []byte, i int32) []byte {
	if i == absent {
		return append(dst, "null"...)
	}
	n := &t.nodes[i]
	switch n.kind {
	case '{':
		from := t.members(i)
		to := len(t.stack)
		dst = append(dst, '{')
		for k := from; k < to; k++ {
			if k > from {
				dst = append(dst, ',')
			}
			c := t.stack[k]
			dst = t.appendString(dst, t.raw[t.nodes[c].nameStart:t.nodes[c].nameEnd], t.nodes[c].nameEscaped)
			dst = append(dst, ':')
			dst = t.appendCanonical(dst, c)
		}
		t.stack = t.stack[:from]
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		first := true
		for c := range t.children(i) {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = t.appendCanonical(dst, c)
		}
		return append(dst, ']')
	case '"':
		return t.appendString(dst, t.text(i), n.textEscaped)
	default:
		return append(dst, t.text(i)...)
	}
}

// appendString appends a quoted JSON string with as few escapes as possible.
func (t *tree) appendString(dst, quoted []byte, escaped bool) []byte {
	if !escaped {
		return append(dst, quoted...)
	}
	t.scratch, _ = jsontext.AppendUnquote(t.scratch[:0], quoted)
	dst, _ = jsontext.AppendQuote(dst, t.scratch)
	return dst
}

// lookup finds the members of object i by name: result[k] is the member names[k], or [absent]. A
// name that differs from a wanted one only in case is an error: encoding/json and other readers
// accept it, so they would count the same plan differently.
func (t *tree) lookup(i int32, names []string, result []int32) error {
	for k := range result {
		result[k] = absent
	}
	if t.kind(i) != '{' {
		return errors.New("it is not an object")
	}
members:
	for c := range t.children(i) {
		name := t.name(c)
		for k := range names {
			if string(name) == names[k] {
				result[k] = c
				continue members
			}
		}
		if known := foldedName(name, names); known != "" {
			return fmt.Errorf("it has a member that is %q in another case", known)
		}
	}
	return nil
}

// foldedName is the one of names that differs from name only in case; empty if there is none.
func foldedName(name []byte, names []string) string {
	for _, known := range names {
		// Two characters of 3 and 2 bytes in UTF-8 fold to "k" and "s".
		if len(name) >= len(known) && len(name) <= 3*len(known) && bytes.EqualFold(name, []byte(known)) {
			return known
		}
	}
	return ""
}
