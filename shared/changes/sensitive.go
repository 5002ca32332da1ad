package changes

import "strings"

// mask says which parts of a value are sensitive. It is made from the
// before_sensitive and after_sensitive of a change together and applies to both
// sides: a value that only one side marks is as secret on the other. For lists
// it goes further: a mark on one element's part is on that part of every
// element, since elements move when others come or go. A nil mask marks nothing.
type mask struct {
	all     bool
	members map[string]*mask
	element *mask
}

// addMarks adds the marks of node i to m. The format knows true, false, objects
// and lists; anything else in a mark's place counts as true.
func (t *tree) addMarks(m *mask, i int32) *mask {
	switch t.kind(i) {
	case 0, 'f':
		return m
	case '{':
		for c := range t.children(i) {
			name := t.name(c)
			if sub := t.addMarks(m.member(name), c); sub != nil {
				if m == nil {
					m = &mask{}
				}
				if m.members == nil {
					m.members = map[string]*mask{}
				}
				m.members[string(name)] = sub
			}
		}
		return m
	case '[':
		for c := range t.children(i) {
			if sub := t.addMarks(m.elements(), c); sub != nil {
				if m == nil {
					m = &mask{}
				}
				m.element = sub
			}
		}
		return m
	default:
		if m == nil {
			m = &mask{}
		}
		m.all = true
		return m
	}
}

func (m *mask) member(name []byte) *mask {
	if m == nil {
		return nil
	}
	return m.members[string(name)]
}

func (m *mask) elements() *mask {
	if m == nil {
		return nil
	}
	return m.element
}

// hides reports whether the whole of node i is sensitive: because it is marked
// so, or because the marks are those of a value of another shape.
func (m *mask) hides(t *tree, i int32) bool {
	if m == nil {
		return false
	}
	switch t.kind(i) {
	case 0, 'n':
		return m.all
	case '{':
		return m.all || m.element != nil
	case '[':
		return m.all || m.members != nil
	default:
		return true
	}
}

const (
	// minSecretPart is how long a secret must be, in bytes, for texts that
	// contain it to be hidden, too. Texts that equal it are whatever its length.
	minSecretPart = 6
	// minSecretNumber is how long a number must be, in bytes, to be looked for.
	minSecretNumber = 4
	// maxSecretWork bounds how often, for one change, a text is compared with a secret that
	// begins like a part of it. Only secrets that are all alike reach it.
	maxSecretWork = 1 << 24
)

// secrets are the texts of the sensitive values in one change. Providers copy
// values into other attributes without the mark (terraform_data's input and
// output, connection strings): what holds a secret is one.
type secrets struct {
	texts map[string]bool
	// long are those that are looked for in texts, by their first minSecretPart bytes.
	long    map[string][]string
	work    int  // see maxSecretWork
	tooMany bool // to look for: then everything is taken for a secret
}

// collect adds the sensitive strings and numbers in node i.
func (s *secrets) collect(t *tree, i int32, m *mask) {
	if m == nil || t.isNothing(i) {
		return
	}
	if m.hides(t, i) {
		m = &mask{all: true}
	}
	switch t.kind(i) {
	case '{':
		for c := range t.children(i) {
			if m.all {
				s.collect(t, c, m)
			} else {
				s.collect(t, c, m.member(t.name(c)))
			}
		}
	case '[':
		for c := range t.children(i) {
			if m.all {
				s.collect(t, c, m)
			} else {
				s.collect(t, c, m.element)
			}
		}
	case '"':
		s.add(string(t.str(i)))
	case '0':
		// A shorter one is in too many places by chance.
		if text := t.text(i); len(text) >= minSecretNumber {
			s.add(string(text))
		}
	}
}

func (s *secrets) add(text string) {
	if text == "" || s.texts[text] {
		return
	}
	if s.texts == nil {
		s.texts, s.long = map[string]bool{}, map[string][]string{}
	}
	s.texts[text] = true
	if len(text) >= minSecretPart {
		s.long[text[:minSecretPart]] = append(s.long[text[:minSecretPart]], text)
	}
}

// in reports whether text is, or holds, a secret.
func (s *secrets) in(text string) bool {
	if s.tooMany || s.texts[text] {
		return true
	}
	if len(s.long) == 0 {
		return false
	}
	for at := 0; at+minSecretPart <= len(text); at++ {
		for _, secret := range s.long[text[at:at+minSecretPart]] {
			if strings.HasPrefix(text[at:], secret) {
				return true
			}
			if s.work++; s.work > maxSecretWork {
				s.tooMany = true
				return true
			}
		}
	}
	return false
}
