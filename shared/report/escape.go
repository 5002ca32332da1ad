package report

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The rule of this file: text from outside goes into code, in a span or in a
// fence. Code is the one place where GitHub reads nothing: no HTML, no
// Markdown, and none of the filters that run on the rendered page (mentions,
// references, commits, emoji, math, links), all of which leave <code> and
// <pre> alone. Entities or backslashes would not do: those filters see the
// page after it was unescaped, so `&#64;octocat` still notifies octocat.

// Text escapes s for a line of running Markdown. Words that can mean nothing
// to GitHub stay as they are, as do codes of errors; every other word becomes [Code], and
// so does what stands between backticks. White space, newlines included, becomes single
// spaces.
func Text(s string) string { return textWith(s, Code, "") }

// CellText is [Text] for a table's cell.
func CellText(s string) string { return textWith(s, Cell, "") }

// quotes is a quotation in backticks, as errors have them, with a sentence's punctuation
// around it.
var (
	quotes = regexp.MustCompile("^(\\(?)`([^`\n]+)`([).,;:!?]*)$")
	words  = regexp.MustCompile("\\(?`[^`\n]+`[).,;:!?]*(?:[^\\S\n]|$)|\\S+")
)

// errorCode is a code behind an error, as package problem writes it.
var errorCode = regexp.MustCompile(`^\[(GITOPS-[A-Z-]+)\]([).,;:!?]*)$`)

// runWord is the address of a workflow run, with a sentence's punctuation around it.
var runWord = regexp.MustCompile(`^(\(?)(https?://\S+?)([).,;:!?]*)$`)

// runID is what follows the repository's address in that of a run.
var runID = regexp.MustCompile(`^[0-9]+(?:/attempts/[0-9]+)?$`)

// textWith links runs whose address begins with ownRuns: one of another repository would be
// a link that somebody else has chosen.
func textWith(s string, span func(string) string, ownRuns string) string {
	var b strings.Builder
	var code []string // words gathered for one code span
	flush := func() {
		if len(code) > 0 {
			b.WriteString(span(strings.Join(code, " ")))
			code = code[:0]
		}
	}
	for i, word := range words.FindAllString(s, -1) {
		word = strings.TrimSpace(word)
		p, ok := plain(word)
		if quoted := quotes.FindStringSubmatch(word); quoted != nil {
			p, ok = quoted[1]+span(quoted[2])+quoted[3], true
		} else if run := runWord.FindStringSubmatch(word); run != nil && ownRuns != "" && runID.MatchString(strings.TrimPrefix(run[2], ownRuns)) {
			p, ok = run[1]+Link("that run", run[2])+run[3], true
		} else if code := errorCode.FindStringSubmatch(word); code != nil {
			p, ok = `\[`+code[1]+`\]`+code[2], true
		}
		if ok {
			flush()
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(p)
			continue
		}
		if i > 0 && len(code) == 0 {
			b.WriteByte(' ')
		}
		// The sentence's own punctuation stays outside of the code.
		core := strings.TrimRight(word, ".,;:!?")
		if core == "" {
			core = word
		}
		code = append(code, core)
		if core != word {
			flush()
			b.WriteString(word[len(core):])
		}
	}
	flush()
	return b.String()
}

// plain returns word as it may stand in running Markdown, and whether it may:
// letters, or a short number, with a sentence's punctuation around it.
func plain(word string) (string, bool) {
	core := strings.TrimPrefix(word, "(")
	lead := word[:len(word)-len(core)]
	core = strings.TrimRight(core, ".,;:!?)")
	tail := word[len(lead)+len(core):]
	letters, digits := 0, 0
	run, hex := 0, true // since the last joint: characters, and all of them hexadecimal
	for _, r := range core {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case unicode.IsLetter(r) && visible(r):
			letters++
			hex = hex && strings.ContainsRune("abcdefABCDEF", r)
		case (r == '\'' || r == '’' || r == '-') && run > 0:
			run, hex = 0, true
			continue
		default:
			return "", false
		}
		if run++; run >= 7 && hex { // a commit, perhaps
			return "", false
		}
	}
	switch {
	case run == 0, letters > 0 && digits > 0:
		return "", false
	case digits > 0 && tail != "" && (tail[0] == '.' || tail[0] == ')'): // "1." would begin a list
		return lead + core + fmt.Sprintf("&#%d;", tail[0]) + tail[1:], true
	}
	return word, true
}

// Code returns s as an inline code span that nothing in s can leave. What
// cannot be seen is written out: newlines as \n, other control, format and
// bidirectional characters as \x1b or \u202e, bytes that are not UTF-8 as
// \xff; so is the ! of every <!--, for nobody to forge this project's hidden
// markers. An empty s gives a span with one space.
func Code(s string) string { return span(string(appendVisible(nil, s, inline))) }

// span wraps s, which is visible already, into backticks. Within a code span
// nothing can be escaped: its end is the first run of as many backticks as
// began it (CommonMark 0.31, section 6.1).
func span(s string) string {
	if s == "" {
		s = " "
	}
	if !strings.Contains(s, "`") {
		// One space on both ends would be stripped.
		if s[0] == ' ' && s[len(s)-1] == ' ' && strings.Trim(s, " ") != "" {
			s = " " + s + " "
		}
		return "`" + s + "`"
	}
	used := map[int]bool{}
	for run, i := 0, 0; i <= len(s); i++ {
		if i < len(s) && s[i] == '`' {
			run++
			continue
		}
		used[run], run = true, 0
	}
	n := 1
	for used[n] {
		n++
	}
	ticks := strings.Repeat("`", n)
	return ticks + " " + s + " " + ticks
}

// Cell is [Code] for a table's cell. A pipe ends a cell even within code, save
// behind a backslash; what a backslash before that one means, parsers disagree
// about, so a pipe after a backslash stands in a code element of its own.
func Cell(s string) string {
	s = string(appendVisible(nil, s, inline))
	if !strings.Contains(s, "|") {
		return span(s)
	}
	parts := strings.Split(s, `\|`)
	var b strings.Builder
	for i, part := range parts {
		last := i == len(parts)-1
		if !last {
			part += `\`
		}
		if part != "" {
			b.WriteString(strings.ReplaceAll(span(part), "|", `\|`))
		}
		if !last {
			b.WriteString("<code>&#124;</code>")
		}
	}
	return b.String()
}

var html = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

// element is Code for the HTML of a <summary>, where Markdown is not read.
func element(s string) string {
	return "<code>" + html.Replace(string(appendVisible(nil, s, inline))) + "</code>"
}

// Fence returns s as a fenced code block, which ends in a newline and must
// begin a line. Nothing in s can close it. Newlines and tabs stay, and all
// else that cannot be seen is written out, as [Code] does. A lang that is not
// a plain lower-case word is left out.
func Fence(lang, s string) string {
	for _, r := range lang {
		if r < 'a' || r > 'z' {
			lang = ""
			break
		}
	}
	body := appendVisible(make([]byte, 0, len(s)+1), s, block)
	if len(body) > 0 && body[len(body)-1] != '\n' {
		body = append(body, '\n')
	}
	return fence(lang, body)
}

// fence fences a body that is visible already and ends in a newline.
func fence(lang string, body []byte) string {
	ticks := strings.Repeat("`", max(3, longestRun(body)+1))
	var b strings.Builder
	b.Grow(len(body) + 2*len(ticks) + len(lang) + 2)
	b.WriteString(ticks)
	b.WriteString(lang)
	b.WriteByte('\n')
	b.Write(body)
	b.WriteString(ticks)
	b.WriteByte('\n')
	return b.String()
}

// longestRun is the length of the longest run of backticks in s.
func longestRun[T string | []byte](s T) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// codes lists the first few of some names.
func codes(names []string) string {
	const most = 5
	var list []string
	for _, name := range names[:min(most, len(names))] {
		list = append(list, Code(clip(name, maxName)))
	}
	if more := len(names) - most; more > 0 {
		list = append(list, comma(more)+" more")
	}
	return strings.Join(list, ", ")
}

// clip cuts s after at most n bytes, and says so with "…".
func clip(s string, n int) string {
	if start := prefix(s, n); len(start) < len(s) {
		return start + "…"
	}
	return s
}

// prefix is the first n bytes of s, or a few less to end between two runes.
func prefix(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

type form uint8

const (
	inline form = iota // one line
	block              // newlines and tabs stay
	quoted             // within double quotes, as HCL writes a string
)

const hexDigits = "0123456789abcdef"

// appendVisible appends s to dst with all that a reader could not see written out.
func appendVisible(dst []byte, s string, f form) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			case visible(r):
				dst = append(dst, s[i:i+n]...)
			case r > 0xffff:
				dst = fmt.Appendf(dst, `\U%08x`, r)
			default:
				dst = fmt.Appendf(dst, `\u%04x`, r)
			}
			i += n
			continue
		}
		i++
		switch {
		case f == block && (c == '\n' || c == '\t'):
			dst = append(dst, c)
		case f == quoted && (c == '"' || c == '\\'):
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		case c == '!' && strings.HasPrefix(s[i:], "--") && len(dst) > 0 && dst[len(dst)-1] == '<':
			dst = append(dst, `\x21`...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// visible reports whether a reader can see r: letters, marks, numbers,
// punctuation and symbols are, but for those Unicode says to show as nothing.
func visible(r rune) bool {
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
