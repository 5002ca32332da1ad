package changes

import "bytes"

// Limits on the details of one resource.
const (
	maxResourceBytes = 64 << 10 // but at most a quarter of [Limit.Bytes]
	maxAttributes    = 200
	maxReplacePaths  = 64
	maxPathText      = 1 << 10 // bytes

	// The memory of a Resource and an Attribute besides their texts, roughly.
	resourceOverhead  = 320
	attributeOverhead = 128
)

// differ walks the two sides of one change down to the leaves that differ.
type differ struct {
	renderer
	at           []step   // where the walk is
	replacePaths [][]step // paths that force the replacement
	attributes   []Attribute
	omitted      int
	used, limit  int  // bytes, of attributes
	leaves       int  // that were found, whatever became of them
	bare         bool // nothing is set in the objects of the next leaf

	// nullIsEmpty says that null in place of an empty string, list, set or map of its kind is no
	// difference: providers return one for the other. noEmpty leaves out an empty value that
	// goes away. noBlocks leaves out an empty list that comes: in plan JSON each kind of block that
	// a resource does not have is one.
	nullIsEmpty, noEmpty, noBlocks bool

	// ignored are the differences that are left out; with onlyIgnored, all others are.
	ignored     *ignoredPart
	onlyIgnored bool

	// If one of them is not nil, what differs goes there, and not into attributes.
	seen     *visible
	outside  *outsideResource
	deciding *ignoredPart
}

// step is one step of a path.
type step struct {
	name    string // an attribute's name, or the key in a map
	index   int    // the index in a list
	isIndex bool
	hidden  bool // the step itself must not be shown: an element of a set, or a secret
}

// view says what of a change is kept.
type view struct {
	drifted     bool         // it was made outside of Terraform
	ignored     *ignoredPart // differences to leave out
	onlyIgnored bool         // leave out all others
}

// keepResource adds the details of a change to k, if it wants them.
func keepResource(k *keeper[Resource], t *tree, c *resourceChange, reason string, v view) {
	action := c.shown()
	if !k.wants(action.rank()) {
		return
	}
	d := differ{limit: min(maxResourceBytes, k.limit/4), ignored: v.ignored, onlyIgnored: v.onlyIgnored}
	d.noEmpty = action == Delete || action == Replace || action == Forget
	d.nullIsEmpty, d.noBlocks = v.drifted || d.noEmpty, action == Create
	d.tree = t
	before, after := c.change[fieldBefore], c.change[fieldAfter]
	marks := t.addMarks(t.addMarks(nil, c.change[fieldBeforeSensitive]), c.change[fieldAfterSensitive])
	d.secrets.collect(t, before, marks)
	d.secrets.collect(t, after, marks)

	r := Resource{
		Address:         t.label(c.resource[fieldAddress]),
		PreviousAddress: t.label(c.resource[fieldPreviousAddress]),
		ModuleAddress:   t.label(c.resource[fieldModuleAddress]),
		Mode:            t.label(c.resource[fieldMode]),
		Type:            t.label(c.resource[fieldType]),
		Deposed:         t.label(c.resource[fieldDeposed]),
		Action:          action,
		CreateFirst:     c.createFirst,
		Forgets:         c.forgets,
		Importing:       c.imports,
		ImportID:        d.importID(c.change[fieldImporting], marks),
		Reason:          reason,
	}
	r.ImportIdentity, r.ImportUnknown = d.importIdentity(c.change[fieldImporting], marks)
	size := resourceOverhead + len(r.Address) + len(r.PreviousAddress) + len(r.ModuleAddress) +
		len(r.Mode) + len(r.Type) + len(r.Deposed) + len(r.ImportID) + len(r.ImportIdentity) + len(r.Reason)
	r.ReplacePaths = d.readReplacePaths(c.change[fieldReplacePaths], marks)
	for _, path := range r.ReplacePaths {
		size += len(path)
	}
	d.walk(before, after, c.change[fieldAfterUnknown], marks, false)
	r.Attributes, r.AttributesOmitted, r.TooManySecrets = d.attributes, d.omitted, d.secrets.tooMany
	k.add(action.rank(), size+d.used, r)
}

// walk compares node before with node after. unknown is their part of
// after_unknown, and m their marks. inBoth says that the value around them exists
// on both sides.
func (d *differ) walk(before, after, unknown int32, m *mask, inBoth bool) {
	someUnknown := d.anyUnknown(unknown)
	if !someUnknown && before != absent && after != absent && bytes.Equal(d.text(before), d.text(after)) {
		return
	}
	shape := after
	if after == absent && someUnknown {
		shape = unknown // nothing in it is known
	}
	if !d.isUnknown(unknown) && !m.hides(d.tree, before) && !m.hides(d.tree, shape) {
		switch {
		case d.isContainer(before) && d.kind(before) == d.kind(shape):
			d.walkInto(before, after, unknown, m, true)
			return
		case d.isContainer(shape) && d.isNothing(before) && (d.size(shape) > 0 || someUnknown || len(d.at) == 0),
			d.isContainer(before) && d.isNothing(shape) && (d.size(before) > 0 || len(d.at) == 0):
			leaves := d.leaves
			d.walkInto(before, after, unknown, m, false)
			if d.leaves == leaves {
				d.emptyObject(before, after, unknown, m)
			}
			return
		}
	}
	if !someUnknown {
		if d.isNothing(before) && d.isNothing(after) {
			// In a value that is created or deleted, null equals a missing value.
			if !inBoth || d.kind(before) == d.kind(after) {
				return
			}
		} else if d.same(before, after) {
			return
		}
		if d.noBlocks && !inBoth && d.kind(after) == '[' && d.size(after) == 0 && !m.hides(d.tree, after) {
			return
		}
		if d.nullIsEmpty && (d.alike(before, after) || d.noEmpty && !inBoth && d.isNothing(after) && d.isEmpty(before)) && !d.forcesReplacement() {
			return
		}
	}
	d.leaf(before, after, unknown, m)
}

// emptyObject adds an object that comes or goes, in which nothing is set. A block may say all by being
// there, such as `action { block {} }` of a firewall's rule.
func (d *differ) emptyObject(before, after, unknown int32, m *mask) {
	if len(d.at) == 0 || d.kind(before) != '{' && d.kind(after) != '{' {
		return
	}
	if element := d.at[len(d.at)-1].isIndex; d.nullIsEmpty && !element || d.noEmpty && d.isNothing(after) {
		return
	}
	d.bare = true
	d.leaf(before, after, unknown, m)
	d.bare = false
}

// isContainer reports whether node i is an object or a list.
func (t *tree) isContainer(i int32) bool {
	return t.kind(i) == '{' || t.kind(i) == '['
}

// same reports whether nodes a and b are the same value.
func (d *differ) same(a, b int32) bool {
	return d.kind(a) == d.kind(b) && bytes.Equal(d.appendCanonical(nil, a), d.appendCanonical(nil, b))
}

// isEmpty reports whether node i is null, or an empty string, list or object.
func (t *tree) isEmpty(i int32) bool {
	switch t.kind(i) {
	case 'n':
		return true
	case '"':
		return len(t.text(i)) == len(`""`)
	case '{', '[':
		return t.size(i) == 0
	}
	return false
}

// alike reports whether nodes a and b are the same value, if null is the same as an empty
// string, list or object.
func (d *differ) alike(a, b int32) bool {
	if a == absent || b == absent || d.kind(a) != d.kind(b) && d.kind(a) != 'n' && d.kind(b) != 'n' {
		return false
	}
	return bytes.Equal(d.appendAlike(nil, a), d.appendAlike(nil, b))
}

// appendAlike appends node i as [tree.appendCanonical] does, with null for what is empty.
func (t *tree) appendAlike(dst []byte, i int32) []byte {
	if t.isEmpty(i) {
		return append(dst, "null"...)
	}
	switch t.kind(i) {
	case '{':
		from := t.members(i)
		to := len(t.stack)
		dst = append(dst, '{')
		for k := from; k < to; k++ {
			c := t.stack[k]
			dst = append(appendQuoted(comma(dst), string(t.name(c))), ':')
			dst = t.appendAlike(dst, c)
		}
		t.stack = t.stack[:from]
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for c := range t.children(i) {
			dst = t.appendAlike(comma(dst), c)
		}
		return append(dst, ']')
	}
	return t.appendCanonical(dst, i)
}

// walkInto compares the members of two objects or lists, of which one may be missing.
func (d *differ) walkInto(before, after, unknown int32, m *mask, inBoth bool) {
	if d.kind(before) == '[' || d.kind(after) == '[' || after == absent && d.kind(unknown) == '[' {
		d.walkElements(before, after, unknown, m, inBoth)
	} else {
		d.walkMembers(before, after, unknown, m, inBoth)
	}
}

func (d *differ) walkMembers(before, after, unknown int32, m *mask, inBoth bool) {
	if d.kind(unknown) != '{' {
		unknown = absent
	}
	// The three lists of members are merged by name.
	base := len(d.stack)
	var next, end [3]int
	for k, i := range [3]int32{before, after, unknown} {
		next[k] = d.members(i)
		end[k] = len(d.stack)
	}
	for {
		var name []byte
		for k := range next {
			if next[k] < end[k] {
				if n := d.name(d.stack[next[k]]); name == nil || bytes.Compare(n, name) < 0 {
					name = n
				}
			}
		}
		if name == nil {
			break
		}
		sides := [3]int32{absent, absent, absent}
		for k := range next {
			if next[k] < end[k] && bytes.Equal(d.name(d.stack[next[k]]), name) {
				sides[k] = d.stack[next[k]]
				next[k]++
			}
		}
		// The names at the top are attributes in the provider's schema. Deeper names may
		// be keys of maps, which may be secrets.
		hidden := len(d.at) > 0 && d.secrets.in(string(name))
		d.at = append(d.at, step{name: string(name), hidden: hidden})
		d.walk(sides[0], sides[1], sides[2], m.member(name), inBoth)
		d.at = d.at[:len(d.at)-1]
	}
	d.stack = d.stack[:base]
}

// leaf adds the difference at the current path.
func (d *differ) leaf(before, after, unknown int32, m *mask) {
	d.leaves++
	if d.deciding != nil {
		d.deciding.decide(d.at)
		return
	}
	if d.ignored.has(d.at) != d.onlyIgnored {
		return
	}
	if d.seen != nil {
		d.seen.leaf(d, before, after, unknown, m)
		return
	}
	if d.outside != nil {
		d.outside.leaf(d.at)
		return
	}
	forces := d.forcesReplacement()
	if !forces && (len(d.attributes) == maxAttributes || d.used >= d.limit) {
		d.omitted++
		return
	}
	a := Attribute{
		Path:              pathText(d.at),
		Old:               d.value(before, absent, m),
		New:               d.value(after, unknown, m),
		ForcesReplacement: forces,
	}
	if d.bare {
		for _, v := range []*Value{&a.Old, &a.New} {
			if v.Kind == Known {
				v.Text, v.Cut = "{}", 0
			}
		}
	}
	size := a.size()
	for len(d.attributes) == maxAttributes || d.used+size > d.limit {
		if !forces || !d.dropAttribute() {
			d.omitted++
			return
		}
	}
	d.attributes = append(d.attributes, a)
	d.used += size
}

// dropAttribute removes the last attribute that does not force a replacement, to
// make room for one that does.
func (d *differ) dropAttribute() bool {
	for i := len(d.attributes) - 1; i >= 0; i-- {
		if a := d.attributes[i]; !a.ForcesReplacement {
			d.used -= a.size()
			d.omitted++
			d.attributes = append(d.attributes[:i], d.attributes[i+1:]...)
			return true
		}
	}
	return false
}

func (a *Attribute) size() int {
	return attributeOverhead + len(a.Path) + len(a.Old.Text) + len(a.New.Text)
}
