package problem

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// Quote sets text from outside in backquotes, or in escaped double quotes
// where it holds what one line of a log can't.
func Quote(s string) string {
	s = Shorten(s)
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '`' || r == utf8.RuneError }) {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}

// Shorten keeps a message one readable line, whatever is in it.
func Shorten(s string) string {
	const longest = 200 // bytes: what a name may have
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

// Suggest helps with a name that is not among the choices: it suggests one that
// looks like a slip of it, then lists them all, or the first of many.
func Suggest(name string, choices []string) string {
	const most = 20
	best, least := "", len(name)/3+2 // more than every third character wrong is another name
	for _, choice := range choices {
		if len(choice) > 2*len(name)+2 {
			continue
		}
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(choice), nil); d < least {
			best, least = choice, d
		}
	}
	list := make([]string, 0, most)
	for _, choice := range choices[:min(len(choices), most)] {
		list = append(list, Quote(choice))
	}
	text := "choose from " + strings.Join(list, ", ")
	if more := len(choices) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if best != "" {
		text = "did you mean " + Quote(best) + "? Or " + text
	}
	return text
}

// OneLine keeps another library's message on one line.
func OneLine(s string) string {
	return Shorten(strings.Join(strings.Fields(s), " "))
}
