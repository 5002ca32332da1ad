package markdown

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Text escapes s for a line of Markdown. Words that GitHub cannot interpret stay as they are.
// Every other word becomes [Code], and so does text between backticks. The code of an error
// becomes a link to its explanation. White space, newlines included, becomes single spaces.
func Text(s string) string { return TextWith(s, Code, "") }

// CellText is [Text] for a cell of a table.
func CellText(s string) string { return TextWith(s, Cell, "") }

// quotes matches a quotation in backticks, as errors have them, with punctuation around it.
var (
	quotes = regexp.MustCompile("^(\\(?)`([^`\n]+)`([).,;:!?]*)$")
	words  = regexp.MustCompile("\\(?`[^`\n]+`[).,;:!?]*(?:[^\\S\n]|$)|\\S+")
)

// errorCode matches the code after an error, as package problem writes it.
var errorCode = regexp.MustCompile(`^\[(GITOPS-[A-Z-]+)\]([).,;:!?]*)$`)

// runWord matches the address of a workflow run, with punctuation around it.
var runWord = regexp.MustCompile(`^(\(?)(https?://\S+?)([).,;:!?]*)$`)

// runID matches what follows the repository's address in the address of a run.
var runID = regexp.MustCompile(`^[0-9]+(?:/attempts/[0-9]+)?$`)

// TextWith links runs whose address begins with ownRuns. It does not link runs of another
// repository, since somebody else chose such a link.
func TextWith(s string, span func(string) string, ownRuns string) string {
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
		switch { // only some of the many words are worth a regular expression
		case strings.Contains(word, "`"):
			if quoted := quotes.FindStringSubmatch(word); quoted != nil {
				p, ok = quoted[1]+span(quoted[2])+quoted[3], true
			}
		case ownRuns != "" && strings.Contains(word, ownRuns):
			if run := runWord.FindStringSubmatch(word); run != nil && runID.MatchString(strings.TrimPrefix(run[2], ownRuns)) {
				p, ok = run[1]+Link("that run", run[2])+run[3], true
			}
		case strings.HasPrefix(word, "["):
			if code := errorCode.FindStringSubmatch(word); code != nil {
				p, ok = ErrorCode(problem.Code(code[1]))+code[2], true
			}
		}
		if ok {
			flush()
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(p)
			continue
		}
		// The punctuation of the sentence stays outside of the code.
		open, core, end := punctuation(word)
		if open != "" {
			flush()
		}
		if i > 0 && len(code) == 0 {
			b.WriteByte(' ')
		}
		b.WriteString(open)
		code = append(code, core)
		if end != "" {
			flush()
			b.WriteString(end)
		}
	}
	flush()
	return b.String()
}

// punctuation splits what belongs to the sentence from a word: at its end, and a parenthesis that
// opens before the word, or closes after it.
func punctuation(word string) (open, core, end string) {
	core = strings.TrimRight(word, ".,;:!?")
	if rest, is := strings.CutPrefix(core, "("); is && (strings.HasSuffix(rest, ")") || strings.Count(rest, "(") >= strings.Count(rest, ")")) {
		open, core = "(", rest
	}
	for strings.HasSuffix(core, ")") && strings.Count(core, ")") > strings.Count(core, "(") {
		core = strings.TrimRight(core[:len(core)-1], ".,;:!?")
	}
	if core == "" {
		return "", word, ""
	}
	return open, core, word[len(open)+len(core):]
}

// ErrorCode is a code as a link to its explanation. The code must be one of package problem, or
// consist of capitals and hyphens like these.
func ErrorCode(c problem.Code) string { return Link(string(c), c.URL()) }

// plain returns word as it may appear in Markdown, and whether it may: letters, or a short
// number, with punctuation around it.
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
