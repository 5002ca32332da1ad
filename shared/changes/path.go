package changes

import (
	"slices"
	"strconv"
)

// pathText writes a path as a person would: `tags["Name"]`, `ingress[0].port`.
func pathText(path []step) string {
	var b []byte
	for _, s := range path {
		b = appendStep(b, s)
		if len(b) > maxPathText {
			break
		}
	}
	return cutText(string(b), maxPathText)
}

func appendStep(dst []byte, s step) []byte {
	switch {
	case s.hidden:
		return append(dst, "[…]"...)
	case s.isIndex:
		return append(strconv.AppendInt(append(dst, '['), int64(s.index), 10), ']')
	case !isPlain(s.name):
		return append(strconv.AppendQuote(append(dst, '['), s.name), ']')
	case len(dst) > 0:
		dst = append(dst, '.')
	}
	return append(dst, s.name...)
}

// isPlain reports whether name needs no quotes. Plan JSON does not tell attributes from
// keys of maps. By convention attributes are in lower case; keys may be anything.
func isPlain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// readReplacePaths reads replace_paths, node i, keeps them for marking
// attributes, and returns their texts. A path ends where a sensitive value begins: the
// keys of a sensitive map are secret, too.
func (d *differ) readReplacePaths(i int32, marks *mask) []string {
	var texts []string
	for _, p := range d.list(i) {
		if len(d.replacePaths) == maxReplacePaths {
			break
		}
		var path []step
		m := marks
		for _, c := range d.list(p) {
			if m != nil && m.all {
				break
			}
			// A step is an attribute's name or a map's key, a list's index, or
			// the whole of a set's element.
			s := step{isIndex: d.kind(c) == '0'}
			switch d.kind(c) {
			case '0':
				s.index, _ = strconv.Atoi(string(d.text(c)))
				m = m.elements()
			case '"':
				s.name = string(d.str(c))
				s.hidden = len(path) > 0 && d.secrets.in(s.name) || m != nil && m.element != nil
				if m != nil && m.element != nil {
					m = m.element
				} else {
					m = m.member([]byte(s.name))
				}
			default:
				s.hidden = true
				m = m.elements()
			}
			path = append(path, s)
		}
		if len(path) == 0 {
			continue
		}
		d.replacePaths = append(d.replacePaths, path)
		if text := pathText(path); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// forcesReplacement reports whether the attribute at the current path forces the
// replacement: a replace path names it, a part of it, or a value around it.
func (d *differ) forcesReplacement() bool {
	return slices.ContainsFunc(d.replacePaths, func(path []step) bool {
		for k := range min(len(path), len(d.at)) {
			p, at := path[k], d.at[k]
			// Indexes are not compared: elements move, and sets have none.
			if !p.hidden && !p.isIndex && !at.isIndex && p.name != at.name {
				return false
			}
		}
		return true
	})
}

// importIdentity is the identity in node i, an importing object, as JSON without what is
// sensitive. unknown says that only the apply will know what is imported.
func (d *differ) importIdentity(i int32, marks *mask) (identity string, unknown bool) {
	var found [2]int32
	if d.kind(i) != '{' || d.lookup(i, []string{"identity", "unknown"}, found[:]) != nil {
		return "", false
	}
	if d.kind(found[0]) == '{' {
		identity = cutText(string(d.appendJSON(nil, found[0], absent, marks)), maxPathText)
	}
	return identity, d.kind(found[1]) == 't'
}

// importID is the ID in node i, an importing object, unless it contains a secret.
func (d *differ) importID(i int32, marks *mask) string {
	var found [1]int32
	if d.kind(i) != '{' || d.lookup(i, []string{"id"}, found[:]) != nil || d.kind(found[0]) != '"' {
		return ""
	}
	id := string(d.str(found[0]))
	if d.secrets.in(id) || marks != nil && (marks.all || marks.member([]byte("id")) != nil) {
		return ""
	}
	return cutText(id, maxPathText)
}
