package changes

import (
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxValueText is how much of one value's text is kept, in bytes.
const maxValueText = 8 << 10

// Placeholders in the JSON of a value, for parts without a text.
const (
	sensitiveText = "(sensitive value)"
	unknownText   = "(known after apply)"
)

// renderer makes the texts of values, without what is sensitive.
type renderer struct {
	*tree
	secrets secrets
}

// value converts node i. unknown is its part of after_unknown (absent for the side before), and m
// its marks.
func (r *renderer) value(i, unknown int32, m *mask) Value {
	wholly := r.isUnknown(unknown)
	switch {
	case r.kind(i) == 0 && !r.anyUnknown(unknown):
		return Value{Kind: Absent}
	case r.kind(i) == 'n' && !wholly:
		return Value{Kind: Null}
	case m.hides(r.tree, i):
		return Value{Kind: Sensitive}
	case wholly || i == absent:
		return Value{Kind: Unknown}
	}
	v := Value{Kind: Known, String: r.kind(i) == '"'}
	var text string
	if v.String {
		text = string(r.str(i))
	} else {
		text = string(r.appendJSON(nil, i, unknown, m))
	}
	if r.kind(i) != '{' && r.kind(i) != '[' && r.secrets.in(text) {
		return Value{Kind: Sensitive}
	}
	v.Text = cut(text, maxValueText)
	v.Cut = len(text) - len(v.Text)
	return v
}

// appendJSON appends node i as compact JSON in the document's order, with
// placeholders for what is sensitive or unknown.
func (r *renderer) appendJSON(dst []byte, i, unknown int32, m *mask) []byte {
	if r.isUnknown(unknown) {
		return appendQuoted(dst, unknownText)
	}
	if m.hides(r.tree, i) {
		return appendQuoted(dst, sensitiveText)
	}
	switch r.kind(i) {
	case '{':
		unknowns := map[string]int32{} // unknown members, which the value itself does not have
		for u := range r.children(unknown) {
			unknowns[string(r.name(u))] = u
		}
		dst = append(dst, '{')
		for c := range r.children(i) {
			u := absent
			if n, ok := unknowns[string(r.name(c))]; ok {
				u = n
				delete(unknowns, string(r.name(c)))
			}
			dst = r.appendMember(dst, c)
			dst = r.appendJSON(dst, c, u, m.member(r.name(c)))
		}
		for u := range r.children(unknown) {
			if _, ok := unknowns[string(r.name(u))]; ok && r.anyUnknown(u) {
				dst = r.appendMember(dst, u)
				dst = appendQuoted(dst, unknownText)
			}
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		u := r.first(unknown)
		for c := range r.children(i) {
			dst = comma(dst)
			dst = r.appendJSON(dst, c, u, m.elements())
			u = r.sibling(unknown, u)
		}
		return append(dst, ']')
	case '"':
		text := string(r.str(i))
		if r.secrets.in(text) {
			text = sensitiveText
		}
		return appendQuoted(dst, text)
	case 0:
		return append(dst, "null"...)
	default:
		text := r.text(i)
		if r.secrets.in(string(text)) {
			return appendQuoted(dst, sensitiveText)
		}
		return append(dst, text...)
	}
}

// appendMember appends the name of node i and a colon.
func (r *renderer) appendMember(dst []byte, i int32) []byte {
	name := string(r.name(i))
	if r.secrets.in(name) {
		name = sensitiveText
	}
	return append(appendQuoted(comma(dst), name), ':')
}

// comma appends a comma unless an object or array was just opened.
func comma(dst []byte) []byte {
	if last := dst[len(dst)-1]; last == '{' || last == '[' {
		return dst
	}
	return append(dst, ',')
}

func appendQuoted(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // it fails only on invalid UTF-8, which it replaces
	return dst
}

// isUnknown reports whether node i of after_unknown says that the whole value is unknown.
// Anything that the format does not allow there counts as true.
func (t *tree) isUnknown(i int32) bool {
	switch t.kind(i) {
	case 0, 'f', '{', '[':
		return false
	}
	return true
}

// anyUnknown reports whether node i of after_unknown says that some part of the value is
// unknown.
func (t *tree) anyUnknown(i int32) bool {
	if i == absent {
		return false
	}
	for n := i; n < t.nodes[i].next; n++ {
		if t.isUnknown(n) {
			return true
		}
	}
	return false
}

// first is the first child of array i; absent if it has none, or is not an array.
func (t *tree) first(i int32) int32 {
	if t.kind(i) != '[' || t.size(i) == 0 {
		return absent
	}
	return i + 1
}

// sibling is the child of array i after child c; absent if c is the last.
func (t *tree) sibling(i, c int32) int32 {
	if c == absent || t.nodes[c].next >= t.nodes[i].next {
		return absent
	}
	return t.nodes[c].next
}

// cut is the longest beginning of s that has at most n bytes and ends between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cutText is s, or its beginning and an ellipsis if it is longer than n bytes.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return cut(s, n) + "…"
}
