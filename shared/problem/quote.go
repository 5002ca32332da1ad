package problem

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// Quote puts text from elsewhere in backquotes. Text that would break a line of the log is escaped
// and put in double quotes.
func Quote(s string) string {
	s = Shorten(s)
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '`' || r == utf8.RuneError }) {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}

// Shorten cuts a text to a length that leaves a message readable.
func Shorten(s string) string {
	const longest = 200 // bytes
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

// Suggest returns the end of a message about an unknown name. It suggests the choice that is most
// similar to the name, and lists the first 25 choices.
func Suggest(name string, choices []string) string {
	const most = 25
	best, least := "", len(name)/3+2 // with more wrong characters it is another name
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

// OneLine puts the message of another program or library on one line, and shortens it.
func OneLine(s string) string {
	return Shorten(strings.Join(strings.Fields(s), " "))
}
