package planned

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// How much of a diff is shown. A long value is cut, so that others have room.
const (
	maxLine  = 100 // characters of a change on one line; wider ones take two
	maxLines = 400 // lines of a value that has several
	maxJSON  = 64 << 10
	maxDepth = 32 // of JSON that is indented: the size grows with size times depth
)

// GitHub colours the lines of a diff fence by their first character: + is green, - red, !
// orange, @@ purple.
const (
	added   = '+'
	removed = '-'
	changed = '!'
)

// diffOf are the attributes of r that change, in one or several lines each.
func diffOf(r *changes.Resource) (dst []byte) {
	var unknown []string
	for i := range r.Attributes {
		a := &r.Attributes[i]
		if r.Action == changes.Create && a.New.Kind == changes.Unknown {
			unknown = append(unknown, a.Path)
			continue
		}
		note := ""
		if a.ForcesReplacement {
			note = "  # forces replacement"
		}
		dst = appendChange(dst, a.Path, a.Old, a.New, note)
	}
	// One line for all attributes of a new resource that only the apply will know.
	if len(unknown) > 0 {
		dst = append(dst, "+ known after apply: "...)
		dst = markdown.AppendVisible(dst, strings.Join(unknown, ", "), markdown.Inline)
		dst = append(dst, '\n')
	}
	if r.AttributesOmitted > 0 {
		dst = fmt.Appendf(dst, "  … and %s\n", markdown.Count(r.AttributesOmitted, "more attribute"))
	}
	return dst
}

// appendChange appends the change of one named value.
func appendChange(dst []byte, name string, from, to changes.Value, note string) []byte {
	noFrom := from.Kind == changes.Absent || from.Kind == changes.Null
	noTo := to.Kind == changes.Absent || to.Kind == changes.Null
	sign := byte(changed)
	switch {
	case noFrom && noTo:
		return dst
	case noFrom:
		sign = added
	case noTo:
		sign = removed
	}
	dst = append(dst, sign, ' ')
	dst = markdown.AppendVisible(dst, markdown.Clip(name, markdown.MaxValue), markdown.Inline)
	dst = append(dst, " ="...)

	fromText, fromKind := lines(from, false)
	toText, toKind := lines(to, false)
	// The two sides must have the same shape to be compared well.
	switch {
	case fromText == "" && toText != "":
		fromText, fromKind = lines(from, true)
	case toText == "" && fromText != "":
		toText, toKind = lines(to, true)
	}
	if fromText == toText && fromKind == toKind {
		if fromText != "" {
			note = "  # only the formatting of the JSON differs" + note
		}
		return appendShort(dst, sign, from, to, note)
	}
	if toKind == "" {
		toKind = fromKind
	}
	dst = append(append(append(dst, toKind...), note...), '\n')
	switch {
	case sign == changed && fromText != "" && toText != "":
		dst = appendLineDiff(dst, fromText, toText)
	default:
		if sign != added {
			dst = appendSide(dst, removed, fromText, from)
		}
		if sign != removed {
			dst = appendSide(dst, added, toText, to)
		}
	}
	if cut := max(from.Cut, to.Cut); cut > 0 {
		dst = fmt.Appendf(dst, "    … %s more\n", markdown.Count(cut, "byte"))
	}
	return dst
}

// appendShort appends a change that fits after "name =".
func appendShort(dst []byte, sign byte, from, to changes.Value, note string) []byte {
	if sign != changed {
		v := from
		if sign == added {
			v = to
		}
		dst = appendValue(append(dst, ' '), v, affixes{})
		return append(append(dst, note...), '\n')
	}
	var same affixes
	if from.Kind == changes.Known && to.Kind == changes.Known {
		if from.Text == to.Text && from.String == to.String {
			note = "  # differs further on" + note
		} else {
			same = common(from.Text, to.Text)
		}
	}
	a := appendValue(nil, from, same)
	b := appendValue(nil, to, same)
	if utf8.RuneCount(dst[bytes.LastIndexByte(dst, '\n')+1:])+utf8.RuneCount(a)+utf8.RuneCount(b)+len(note) <= maxLine {
		dst = append(append(dst, ' '), a...)
		dst = append(append(dst, " → "...), b...)
		return append(append(dst, note...), '\n')
	}
	dst = append(append(dst, note...), "\n-   "...)
	dst = append(append(dst, a...), "\n+   "...)
	return append(append(dst, b...), '\n')
}

// affixes are how many bytes at both ends of two values are left out, since they are the same.
type affixes struct{ start, end int }

// common returns what two long values have in common at both ends, except a few bytes that show
// where the difference is.
func common(a, b string) affixes {
	const long, context = 256, 32
	if max(len(a), len(b)) <= long {
		return affixes{}
	}
	most := min(len(a), len(b))
	start := 0
	for start < most && a[start] == b[start] {
		start++
	}
	end := 0
	for end < most-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	start, end = max(0, start-context), max(0, end-context)
	for start > 0 && !utf8.RuneStart(a[start]) {
		start--
	}
	for end > 0 && !utf8.RuneStart(a[len(a)-end]) {
		end--
	}
	return affixes{start, end}
}

// appendValue appends a value on one line, without what is the same in both values.
func appendValue(dst []byte, v changes.Value, same affixes) []byte {
	switch v.Kind {
	case changes.Absent, changes.Null:
		return append(dst, "null"...)
	case changes.Unknown:
		return append(dst, "(known after apply)"...)
	case changes.Sensitive:
		return append(dst, "(sensitive)"...)
	}
	text := v.Text[same.start : len(v.Text)-same.end]
	shown := markdown.Prefix(text, markdown.MaxValue)
	if same.start > 0 {
		dst = fmt.Appendf(dst, "(same %s) … ", markdown.Count(same.start, "byte"))
	}
	f := markdown.Inline
	if v.String {
		f = markdown.Quoted
		dst = append(dst, '"')
	}
	dst = markdown.AppendVisible(dst, shown, f)
	if v.String {
		dst = append(dst, '"')
	}
	if more := len(text) - len(shown) + v.Cut; more > 0 {
		dst = fmt.Appendf(dst, " … (%s more)", markdown.Count(more, "byte"))
	}
	if same.end > 0 {
		dst = fmt.Appendf(dst, " … (same %s)", markdown.Count(same.end, "byte"))
	}
	return dst
}

// Kinds of values that are shown in several lines, as the diff names them.
const (
	jsonString = " JSON:" // JSON in a string, such as a policy
	jsonValue  = ""       // a list, map or object
	textString = " text:"
)

// lines returns a value in several lines, and its kind, if it is best read that way; otherwise
// no text. With force, a short value is returned, too.
func lines(v changes.Value, force bool) (text, kind string) {
	if v.Kind != changes.Known || len(v.Text) == 0 {
		return "", ""
	}
	if c := v.Text[0]; v.Cut == 0 && (c == '{' || c == '[') && (force || v.String || len(v.Text) > maxLine/2) {
		if s, ok := indent(v.Text); ok {
			if v.String {
				return s, jsonString
			}
			return s, jsonValue
		}
	}
	if v.String && (force || strings.Contains(strings.TrimSuffix(v.Text, "\n"), "\n")) {
		return v.Text, textString
	}
	return "", ""
}

// indent returns JSON in lines; false if s is not JSON, or is too large or too deep.
func indent(s string) (string, bool) {
	if len(s) > maxJSON || len(s) < 3 {
		return "", false
	}
	depth, deepest := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	if deepest > maxDepth {
		return "", false
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
		return "", false
	}
	return commas(b.String()), true
}

// commas adds a comma after the last element of every list and object, as Terraform does.
// Otherwise an element that is added at the end would also change the line before it.
func commas(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	for line := range strings.Lines(s) {
		text := strings.TrimSuffix(line, "\n")
		b.WriteString(text)
		if text == line {
			break // the last line
		}
		if !strings.ContainsRune("{[,", rune(text[len(text)-1])) {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// appendSide appends one side of a change that is shown in lines.
func appendSide(dst []byte, sign byte, text string, v changes.Value) []byte {
	if text == "" {
		dst = append(dst, sign, ' ', ' ', ' ')
		return append(appendValue(dst, v, affixes{}), '\n')
	}
	n := 0
	for line := range strings.Lines(text) {
		if n++; n <= maxLines {
			dst = appendLine(dst, sign, line)
		}
	}
	return appendMoreLines(dst, n-maxLines)
}

// appendLineDiff appends the differences between two texts, with context.
func appendLineDiff(dst []byte, from, to string) []byte {
	// Whether the last line ends with a newline matters only if the two texts differ in that.
	if !strings.HasSuffix(from, "\n") && !strings.HasSuffix(to, "\n") {
		from, to = from+"\n", to+"\n"
	}
	n := 0
	for line := range strings.Lines(string(diff.Diff("", []byte(from), "", []byte(to)))) {
		// Skip three lines of header, and the first @@ line if the texts differ from the
		// beginning.
		if n++; n <= 3 || n == 4 && strings.HasPrefix(line, "@@ -1,") {
			continue
		}
		if n > 4+maxLines {
			continue
		}
		switch line[0] {
		case '@':
			dst = append(dst, line...)
		case '\\':
			dst = append(dst, "    (no newline at the end)\n"...)
		default:
			dst = appendLine(dst, line[0], line[1:])
		}
	}
	return appendMoreLines(dst, n-4-maxLines)
}

func appendLine(dst []byte, sign byte, line string) []byte {
	dst = append(dst, sign)
	if line = strings.TrimSuffix(line, "\n"); line != "" {
		dst = markdown.AppendVisible(append(dst, "   "...), markdown.Clip(line, markdown.MaxValue), markdown.Inline)
	}
	return append(dst, '\n')
}

func appendMoreLines(dst []byte, n int) []byte {
	if n <= 0 {
		return dst
	}
	return fmt.Appendf(dst, "    … %s\n", markdown.Count(n, "more line"))
}
