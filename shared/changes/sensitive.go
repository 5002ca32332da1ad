package changes

import "strings"

// mask says which parts of a value are sensitive. It is made from before_sensitive and
// after_sensitive together and is used for both sides: a value that one side marks is as secret
// on the other side. In a list, a mark on a part of one element counts for that part of all
// elements, since elements move when others are added or removed. A nil mask marks nothing.
type mask struct {
	all     bool
	members map[string]*mask
	element *mask
}

// addMarks adds the marks of node i to m. A mark is true, false, an object or a list; anything
// else counts as true.
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

// hides reports whether node i is sensitive as a whole: it is marked as a whole, or the marks
// belong to a value of another shape.
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
	// minSecretPart is the least length in bytes of a secret that is also hidden as a part of
	// another text. A text that equals a secret is always hidden.
	minSecretPart = 6
	// minSecretNumber is the least length in bytes of a number that is looked for.
	minSecretNumber = 4
	// maxSecretWork limits, for one change, how often a text is compared with a secret that
	// begins like a part of it. Only very similar secrets reach it.
	maxSecretWork = 1 << 24
)

// secrets are the texts of the sensitive values in one change. Providers copy values into other
// attributes without the mark (terraform_data's input and output, connection strings), so a text
// that contains a secret is a secret.
type secrets struct {
	texts map[string]bool
	// long has the secrets that are looked for in texts, by their first minSecretPart bytes.
	long    map[string][]string
	work    int  // see maxSecretWork
	tooMany bool // there are too many to look for, so every text counts as a secret
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
		// A shorter one is in too many texts by chance.
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

// in reports whether text is a secret or contains one.
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
