package changes

import "strings"

// What changed outside of Terraform (resource_drift) is shown by Terraform's own rule
// (internal/command/jsonformat, precomputeDiffs): only a resource with a difference in an
// attribute that relevant_attributes names, which are those that contributed to a change of
// this plan. A refresh-only plan has no such list, and shows all of it. Two exceptions, which
// only ever show more than Terraform: of such a resource all differences are shown, and the
// index in a list is not compared.
//
// relevant_attributes comes after resource_drift, so the paths of the differences are
// remembered until then, within these limits. What is beyond them counts as relevant.
const (
	maxOutsideBytes = 4 << 20 // of addresses and paths together
	maxOutsidePaths = 200     // of one resource
)

// outside is what changed outside of Terraform, by address.
type outside struct {
	all       bool // everything is relevant
	late      bool // relevant_attributes was read
	bytes     int
	resources map[string]*outsideResource
}

// outsideResource are the differences of a resource and of its deposed objects.
type outsideResource struct {
	count    int
	paths    []string // of attributes that differ, see appendPathKey
	whole    bool     // each attribute counts as different
	relevant bool
}

// differences is what differs in a drifted resource, but for what is ignored; nil if nothing does
// but null in place of an empty string, list, set or map.
func (rd *reader) differences(c *resourceChange, ignored *ignoredPart) *outsideResource {
	found := &outsideResource{count: 1, whole: c.action != Update || c.moves || c.imports}
	if found.whole {
		return found
	}
	d := differ{outside: found, nullIsEmpty: true, ignored: ignored}
	d.tree = &rd.tree
	var marks *mask
	if ignored != nil { // its paths end where a sensitive value begins
		marks = d.addMarks(d.addMarks(nil, c.change[fieldBeforeSensitive]), c.change[fieldAfterSensitive])
	}
	d.walk(c.change[fieldBefore], c.change[fieldAfter], c.change[fieldAfterUnknown], marks, false)
	if len(found.paths) == 0 && !found.whole {
		return nil
	}
	return found
}

// leaf adds the path of a difference.
func (r *outsideResource) leaf(at []step) {
	if r.whole || len(r.paths) == maxOutsidePaths {
		r.whole, r.paths = true, nil
		return
	}
	var key []byte
	for _, s := range at {
		key = appendPathKey(key, s.name, s.isIndex)
	}
	r.paths = append(r.paths, string(key))
}

// appendPathKey appends a step of a path, so that a path begins with another as text exactly if
// it does so step by step.
func appendPathKey(key []byte, name string, isIndex bool) []byte {
	if isIndex {
		return append(key, "#,"...)
	}
	return append(appendQuoted(key, name), ',')
}

// add remembers a drifted resource until its relevance is known.
func (o *outside) add(address string, r *outsideResource) {
	if o.late {
		r.relevant = true
	}
	if o.all {
		return
	}
	if known := o.resources[address]; known != nil { // a deposed object of the same resource
		known.count++
		known.relevant = known.relevant || r.relevant
		known.whole = known.whole || r.whole || len(known.paths)+len(r.paths) > maxOutsidePaths
		if known.paths = append(known.paths, r.paths...); known.whole {
			known.paths = nil
		}
		return
	}
	size := len(address) + 100
	for _, path := range r.paths {
		size += len(path) + 16
	}
	if o.bytes+size > maxOutsideBytes {
		return // it is relevant
	}
	if o.resources == nil {
		o.resources = map[string]*outsideResource{}
	}
	o.bytes += size
	o.resources[address] = r
}

// relevant reads relevant_attributes. Drift that follows it would have nothing to be compared
// with, so all of that is relevant.
func (rd *reader) relevant() error {
	err := rd.array(rd.relevantAttribute)
	rd.outside.late = true
	return err
}

// relevantAttribute reads one element of relevant_attributes.
func (rd *reader) relevantAttribute() error {
	t, o := &rd.tree, &rd.outside
	var parts [2]int32
	if err := t.lookup(0, []string{"resource", "attribute"}, parts[:]); err != nil {
		return err
	}
	address := t.label(parts[0])
	if address == "" {
		o.all = true // Terraform compares such an attribute with those of each resource
		return nil
	}
	r := o.resources[address]
	if r == nil || r.relevant {
		return nil
	}
	if r.relevant = r.whole; r.relevant {
		return nil
	}
	var key []byte
	for _, s := range t.list(parts[1]) {
		name := t.kind(s) == '"'
		if name {
			key = appendPathKey(key, string(t.str(s)), false)
		} else {
			key = appendPathKey(key, "", true)
		}
	}
	for _, path := range r.paths {
		if strings.HasPrefix(path, string(key)) || strings.HasPrefix(string(key), path) {
			r.relevant = true
			break
		}
	}
	return nil
}

// leaveOut leaves out of the plan's drift what is not relevant.
func (o *outside) leaveOut(p *Plan) {
	if o.all {
		return
	}
	for _, r := range o.resources {
		if !r.relevant {
			p.DriftLeftOut += r.count
		}
	}
	var kept []Resource
	for i := range p.Drift {
		if r := o.resources[p.Drift[i].Address]; r == nil || r.relevant {
			kept = append(kept, p.Drift[i])
		}
	}
	p.Drift = kept
}
