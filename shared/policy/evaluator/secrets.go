package evaluator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/terraform-gitops/gitops/shared/policy"
)

// hidden is shown in place of a sensitive value.
const hidden = "(sensitive value)"

const (
	// minPart is the least length in bytes of a secret that is hidden inside of a word, too. A
	// shorter one is hidden if it is a word: "us" is a part of too many words.
	minPart = 6
	// minDigits is the least length of a number that is a secret.
	minDigits = 2
	// maxHideWork limits for one text how many bytes of it are compared. Only secrets that are very
	// similar to the text reach it; then all of the text is hidden.
	maxHideWork = 1 << 26
)

// secrets are the texts of a plan's sensitive values, which what policies say may contain. A policy
// can still tell them, letter by letter: whoever writes policies can read the plan.
type secrets struct {
	long  map[string][]string // by their first minPart bytes
	short map[string]bool
	known map[string]bool
}

// secretsOf collects what a plan marks sensitive.
func secretsOf(plan ast.Value) *secrets {
	s := &secrets{long: map[string][]string{}, short: map[string]bool{}, known: map[string]bool{}}
	s.find(plan)
	declared := member(member(member(plan, "configuration"), "root_module"), "variables")
	if variables, ok := member(plan, "variables").(ast.Object); ok {
		variables.Foreach(func(name, variable *ast.Term) {
			if text, ok := name.Value.(ast.String); ok && isTrue(member(member(declared, string(text)), "sensitive")) {
				s.all(member(variable.Value, "value"))
			}
		})
	}
	return s
}

// leaves are members of a plan that hold values of resources, and marks of them. Only their marks
// say what in them is sensitive.
var leaves = []string{
	"before", "after", "value", "before_sensitive", "after_sensitive", "sensitive_values", "after_unknown",
	"before_identity", "after_identity", "expressions", "for_each_expression", "count_expression",
}

// find looks for pairs of a value and its marks: NAME and NAME_sensitive, values and
// sensitive_values, and value beside `sensitive: true`. It finds them wherever they are, also in
// parts of a plan that a newer Terraform adds.
func (s *secrets) find(v ast.Value) {
	switch v := v.(type) {
	case *ast.Array:
		v.Foreach(func(element *ast.Term) { s.find(element.Value) })
	case ast.Object:
		before, after := member(v, "before"), member(v, "after")
		for _, marks := range []ast.Value{member(v, "before_sensitive"), member(v, "after_sensitive")} {
			// What one side marks is as secret on the other side.
			s.collect(before, marks)
			s.collect(after, marks)
		}
		ofResource := member(v, "sensitive_values") // else values are the prior state's
		s.collect(member(v, "values"), ofResource)
		if isTrue(member(v, "sensitive")) {
			s.all(member(v, "value"))
		}
		v.Foreach(func(key, value *ast.Term) {
			name, _ := key.Value.(ast.String)
			if of, ok := strings.CutSuffix(string(name), "_sensitive"); ok && of != "before" && of != "after" {
				s.collect(member(v, of), value.Value)
				s.collect(member(v, of+"_values"), value.Value) // config_values of an action
			}
			if !slices.Contains(leaves, string(name)) && (name != "values" || ofResource == nil) {
				s.find(value.Value)
			}
		})
	}
}

// collect adds the parts of a value that marks mark. In a list, a mark on a part of one element
// counts for all elements, since they move when others are added or removed.
func (s *secrets) collect(v, marks ast.Value) {
	if v == nil || !marksAny(marks) {
		return
	}
	switch marks := marks.(type) {
	case ast.Object:
		if object, ok := v.(ast.Object); ok {
			marks.Foreach(func(key, mark *ast.Term) {
				if value := object.Get(key); value != nil {
					s.collect(value.Value, mark.Value)
				}
			})
			return
		}
	case *ast.Array:
		if array, ok := v.(*ast.Array); ok {
			different := ast.NewSet()
			marks.Foreach(func(mark *ast.Term) { different.Add(mark) })
			different.Foreach(func(mark *ast.Term) {
				array.Foreach(func(element *ast.Term) { s.collect(element.Value, mark.Value) })
			})
			return
		}
	}
	s.all(v)
}

func marksAny(marks ast.Value) bool {
	switch marks := marks.(type) {
	case nil, ast.Null:
		return false
	case ast.Boolean:
		return bool(marks)
	case ast.Object:
		return marks.Until(func(_, mark *ast.Term) bool { return marksAny(mark.Value) })
	case *ast.Array:
		return marks.Until(func(mark *ast.Term) bool { return marksAny(mark.Value) })
	}
	return true
}

// all adds all texts in a value that is sensitive as a whole.
func (s *secrets) all(v ast.Value) {
	switch v := v.(type) {
	case ast.String:
		s.add(string(v))
		if text := string(v); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
			// A policy may parse it.
			if inner, err := decode(strings.NewReader(text)); err == nil {
				s.all(inner)
			}
		}
	case ast.Number:
		if len(v) >= minDigits {
			s.add(string(v))
		}
	case *ast.Array:
		v.Foreach(func(element *ast.Term) { s.all(element.Value) })
	case ast.Object:
		v.Foreach(func(key, value *ast.Term) {
			// Names of attributes are no secrets; the keys of a map are.
			if name, ok := key.Value.(ast.String); ok && !isAttribute(string(name)) {
				s.add(string(name))
			}
			s.all(value.Value)
		})
	}
}

// isAttribute reports whether a name looks like an attribute's. By convention these are in lower
// case, while keys of maps may be anything; plan JSON does not tell one from the other.
func isAttribute(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == ""
}

// add adds a secret, in each way that a policy prints it: as it is, quoted as in the text of an
// object, and its lines.
func (s *secrets) add(text string) {
	if text == "" || s.known[text] {
		return
	}
	s.known[text] = true
	s.addText(text)
	quoted := strconv.Quote(text)
	s.addText(quoted[1 : len(quoted)-1])
	if marshaled, err := json.Marshal(text); err == nil {
		s.addText(string(marshaled[1 : len(marshaled)-1]))
	}
	if strings.Contains(text, "\n") {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); len(line) >= minPart {
				s.addText(line)
			}
		}
	}
}

func (s *secrets) addText(text string) {
	if len(text) < minPart {
		s.short[text] = true
		return
	}
	if same := s.long[text[:minPart]]; !slices.Contains(same, text) {
		s.long[text[:minPart]] = append(same, text)
	}
}

// hide replaces the secrets in a text.
func (s *secrets) hide(text string) string {
	shown, _ := s.upTo(text, len(text))
	return shown
}

// show is a text without secrets, of at most limit bytes. If it is longer, it says so.
func (s *secrets) show(text string, limit int) string {
	shown, rest := s.upTo(text, limit+utf8.UTFMax)
	shown = strings.ToValidUTF8(shown, "�")
	if len(shown) <= limit && rest == 0 {
		return shown
	}
	kept := min(limit, len(shown))
	for kept > 0 && kept < len(shown) && !utf8.RuneStart(shown[kept]) {
		kept--
	}
	return fmt.Sprintf("%s … (%d bytes more)", shown[:kept], len(shown)-kept+rest)
}

// upTo replaces the secrets in a text until limit bytes are shown, and returns how many bytes of it
// are left.
func (s *secrets) upTo(text string, limit int) (shown string, rest int) {
	if s == nil || len(s.known) == 0 {
		kept := min(limit, len(text))
		return text[:kept], len(text) - kept
	}
	var b strings.Builder
	work, done := 0, 0 // text[:done] is in b, or hidden
	from, to := 0, 0   // the part that is hidden next
	flush := func() {
		if to > from {
			b.WriteString(text[done:from])
			b.WriteString(hidden)
			done = to
		}
	}
	for at := range len(text) {
		end := at
		if at+minPart <= len(text) {
			for _, secret := range s.long[text[at:at+minPart]] {
				if work += len(secret); work > maxHideWork {
					return hidden, 0
				}
				if strings.HasPrefix(text[at:], secret) {
					end = max(end, at+len(secret))
				}
			}
		}
		for n := 1; n < minPart && at+n <= len(text) && (at == 0 || !inWord(text[:at], text[at:])); n++ {
			if s.short[text[at:at+n]] && (at+n == len(text) || !inWord(text[:at+n], text[at+n:])) {
				end = max(end, at+n)
			}
		}
		if end == at {
			// text[:at] has no secret that goes on here, or to is behind it.
			if at >= to && b.Len()+at-done >= limit {
				flush()
				b.WriteString(text[done:at])
				return b.String(), len(text) - at
			}
			continue
		}
		if at > to { // not beside or inside of what is already hidden
			flush()
			from = at
		}
		to = max(to, end)
	}
	flush()
	b.WriteString(text[done:])
	return b.String(), 0
}

// inWord reports whether a word goes on from one text to the next.
func inWord(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	return isWord(last) && isWord(first)
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= utf8.RuneSelf
}

// hideValue returns a value as encoding/json wants it, without secrets.
func (s *secrets) hideValue(v ast.Value) any {
	switch v := v.(type) {
	case ast.Null:
		return nil
	case ast.Boolean:
		return bool(v)
	case ast.Number:
		if text := s.hide(string(v)); text != string(v) {
			return text
		}
		return json.Number(v)
	case ast.String:
		return s.show(string(v), policy.MaxDetails)
	case *ast.Array:
		all := make([]any, 0, v.Len())
		v.Foreach(func(element *ast.Term) { all = append(all, s.hideValue(element.Value)) })
		return all
	case ast.Set:
		all := make([]any, 0, v.Len())
		for _, element := range v.Slice() {
			all = append(all, s.hideValue(element.Value))
		}
		return all
	case ast.Object:
		all := make(map[string]any, v.Len())
		v.Foreach(func(key, value *ast.Term) { all[s.hide(text(key.Value))] = s.hideValue(value.Value) })
		return all
	default:
		return s.hide(v.String())
	}
}

// text is a string's content, or the text of another value.
func text(v ast.Value) string {
	if s, ok := v.(ast.String); ok {
		return string(s)
	}
	return v.String()
}

// member is the member of an object; nil if there is none.
func member(v ast.Value, name string) ast.Value {
	object, ok := v.(ast.Object)
	if !ok {
		return nil
	}
	if term := object.Get(ast.StringTerm(name)); term != nil {
		return term.Value
	}
	return nil
}

func isTrue(v ast.Value) bool {
	b, ok := v.(ast.Boolean)
	return ok && bool(b)
}
