package target

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agext/levenshtein"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ConfigError is a fault in gitops.yaml, at one place in it. Its text is one
// line.
type ConfigError struct {
	File    string // as given to Load
	Line    int    // 1-based
	Column  int    // 1-based, in characters
	Key     string // the key it is about, such as components.network.path; may be empty
	Message string
	Err     error // the cause, where there is one
}

// Error is "file:line:column: message", the form that editors and people
// follow.
func (e *ConfigError) Error() string {
	text := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// Code is that of a fault in gitops.yaml.
func (e *ConfigError) Code() problem.Code { return problem.Config }

// place is where in gitops.yaml a key or value stands.
type place struct {
	line, column int
	parent, name string // of the key: components.network and path
}

// key is the full name of the place's key; empty for the document.
func (p place) key() string {
	if p.parent == "" {
		return p.name
	}
	return p.parent + "." + p.name
}

// below is the place of a key inside the mapping at p, in another position.
func (p place) below(name string, line, column int) place {
	name = shorten(name)
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && r != '/' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	}) {
		name = strconv.Quote(name)
	}
	return place{line: line, column: column, parent: p.key(), name: name}
}

// named is the key and what it is under, for messages.
func (p place) named() string {
	if p.parent == "" {
		return quote(p.name)
	}
	return quote(p.name) + " under " + p.parent
}

// quote sets text from outside in backquotes, or in escaped double quotes
// where it holds what one line of a log can't.
func quote(s string) string {
	s = shorten(s)
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '`' || r == utf8.RuneError }) {
		return strconv.Quote(s)
	}
	return "`" + s + "`"
}

// shorten keeps a message one readable line, whatever is in it.
func shorten(s string) string {
	const longest = 200 // bytes: what a name may have
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

// hint helps with a name that is not among the choices: it suggests one that
// looks like a slip of it, then lists them all, or the first of many.
func hint(name string, choices []string) string {
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
		list = append(list, quote(choice))
	}
	text := "choose from " + strings.Join(list, ", ")
	if more := len(choices) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if best != "" {
		text = "did you mean " + quote(best) + "? Or " + text
	}
	return text
}

// oneLine keeps another library's message on one line.
func oneLine(s string) string {
	return shorten(strings.Join(strings.Fields(s), " "))
}
