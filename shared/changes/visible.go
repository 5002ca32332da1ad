package changes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// visible hashes the part of a plan's changes that anybody may see: see [Plan.Visible]. Each
// resource or output that changes is an entry: its name, what happens to it, and a record for
// each leaf that differs. A value that must not be shown is replaced by a placeholder. That is
// not JSON, so no value can look like it.
//
// Values that may differ each time for the same drift are left out: those of a resource that is
// destroyed or forgotten, and the old value if the new one is known only after apply. Providers
// keep times and counters there.
type visible struct {
	changes, drift [][sha256.Size]byte // one hash for each entry; sorted at the end

	// The entry that is being written.
	text   []byte
	ends   []int // where its records end in text
	hidden bool  // a path has a step that must not be shown
}

// Placeholders for values.
const (
	seenNothing   = '-'
	seenSensitive = '!'
	seenUnknown   = '?'
)

// resource adds the change of a resource to a list of entries, without what is ignored.
func (v *visible) resource(entries *[][sha256.Size]byte, t *tree, c *resourceChange, ignored *ignoredPart) {
	d, marks := v.differ(t, &c.change)
	d.ignored = ignored
	d.nullIsEmpty = entries == &v.drift
	v.begin("resource ")
	v.text = t.appendCanonical(v.text, c.resource[fieldAddress])
	v.text = t.appendCanonical(append(v.text, ' '), c.resource[fieldDeposed])
	v.text = t.appendCanonical(append(v.text, ' '), c.change[fieldActions])
	if c.moves {
		v.text = t.appendCanonical(append(v.text, " from "...), c.resource[fieldPreviousAddress])
	}
	if c.imports {
		v.text = appendQuoted(append(v.text, " import "...), d.importID(c.change[fieldImporting], marks))
		if identity, _ := d.importIdentity(c.change[fieldImporting], marks); identity != "" {
			v.text = appendQuoted(append(v.text, " identity "...), identity)
		}
	}
	v.end(entries, d, c.action, &c.change, marks)
}

// output adds the change of an output.
func (v *visible) output(t *tree, name string, action Action, change *[changeFieldCount]int32) {
	d, marks := v.differ(t, change)
	v.begin("output ")
	v.text = appendQuoted(v.text, name)
	v.text = t.appendCanonical(append(v.text, ' '), change[fieldActions])
	v.end(&v.changes, d, action, change, marks)
}

// invocation adds an action that is invoked, without its settings, which may hold secrets.
func (v *visible) invocation(t *tree) {
	var address [1]int32
	if t.lookup(0, []string{"address"}, address[:]) != nil {
		return // the reader returns this error
	}
	v.begin("invocation ")
	v.text = t.appendCanonical(v.text, address[0])
	v.changes = append(v.changes, sha256.Sum256(v.text))
}

// differ returns a differ that reports to v, and the marks of the change.
func (v *visible) differ(t *tree, change *[changeFieldCount]int32) (*differ, *mask) {
	d := &differ{seen: v}
	d.tree = t
	marks := t.addMarks(t.addMarks(nil, change[fieldBeforeSensitive]), change[fieldAfterSensitive])
	d.secrets.collect(t, change[fieldBefore], marks)
	d.secrets.collect(t, change[fieldAfter], marks)
	return d, marks
}

func (v *visible) begin(kind string) {
	v.text, v.ends, v.hidden = append(v.text[:0], kind...), v.ends[:0], false
}

// end completes the entry with what differs in its change.
func (v *visible) end(entries *[][sha256.Size]byte, d *differ, action Action, change *[changeFieldCount]int32, marks *mask) {
	v.ends = append(v.ends, len(v.text))
	if action != Delete && action != Forget {
		d.walk(change[fieldBefore], change[fieldAfter], change[fieldAfterUnknown], marks, false)
	}
	if v.hidden {
		v.sortRecords()
	}
	*entries = append(*entries, sha256.Sum256(v.text))
}

// leaf adds a record: `path = old > new`.
func (v *visible) leaf(d *differ, before, after, unknown int32, m *mask) {
	b := append(v.text, '\n')
	for i, s := range d.at {
		if i > 0 {
			b = append(b, ',')
		}
		switch {
		case s.hidden:
			v.hidden = true
			b = append(b, seenSensitive)
		case s.isIndex:
			b = strconv.AppendInt(b, int64(s.index), 10)
		default:
			b = appendQuoted(b, s.name)
		}
	}
	b = append(b, '=')
	if !d.isUnknown(unknown) {
		b = d.appendSeen(b, before, absent, m)
	}
	b = d.appendSeen(append(b, '>'), after, unknown, m)
	v.text, v.ends = b, append(v.ends, len(b))
}

// sortRecords sorts the records after the first one: their order is that of names, some of which
// must not be visible.
func (v *visible) sortRecords() {
	records := make([]string, 0, len(v.ends))
	for i, end := range v.ends[1:] {
		records = append(records, string(v.text[v.ends[i]:end]))
	}
	slices.Sort(records)
	v.text = append(v.text[:v.ends[0]], strings.Join(records, "")...)
}

// sum hashes entries, independent of their order.
func (v *visible) sum(lists ...[][sha256.Size]byte) string {
	h := sha256.New()
	h.Write([]byte("visible changes 1\n"))
	for _, list := range lists {
		slices.SortFunc(list, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
		h.Write(strconv.AppendInt(nil, int64(len(list)), 10))
		for i := range list {
			h.Write(list[i][:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// appendSeen appends node i like [tree.appendCanonical], without what is sensitive or unknown.
func (r *renderer) appendSeen(dst []byte, i, unknown int32, m *mask) []byte {
	switch {
	case r.isUnknown(unknown) || i == absent && r.anyUnknown(unknown):
		return append(dst, seenUnknown)
	case i == absent:
		return append(dst, seenNothing)
	case r.kind(i) != 'n' && m.hides(r.tree, i):
		return append(dst, seenSensitive)
	}
	switch r.kind(i) {
	case '{':
		var members []string
		add := func(c, value, u int32) {
			b := []byte{seenSensitive}
			if name := string(r.name(c)); !r.secrets.in(name) {
				b = appendQuoted(nil, name)
			}
			members = append(members, string(r.appendSeen(append(b, ':'), value, u, m.member(r.name(c)))))
		}
		unknowns := map[string]int32{}
		for u := range r.children(unknown) {
			unknowns[string(r.name(u))] = u
		}
		for c := range r.children(i) {
			u, ok := unknowns[string(r.name(c))]
			if !ok {
				u = absent
			}
			delete(unknowns, string(r.name(c)))
			add(c, c, u)
		}
		for _, u := range unknowns { // unknown members, which the value itself does not have
			if r.anyUnknown(u) {
				add(u, absent, u)
			}
		}
		slices.Sort(members)
		return append(append(append(dst, '{'), strings.Join(members, ",")...), '}')
	case '[':
		dst = append(dst, '[')
		u := r.first(unknown)
		for c := range r.children(i) {
			dst = append(r.appendSeen(dst, c, u, m.elements()), ',')
			u = r.sibling(unknown, u)
		}
		return append(dst, ']')
	case '"':
		if r.secrets.in(string(r.str(i))) {
			return append(dst, seenSensitive)
		}
	default:
		if r.secrets.in(string(r.text(i))) {
			return append(dst, seenSensitive)
		}
	}
	return r.appendCanonical(dst, i)
}
