package gitops

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Error is what is wrong at one place in gitops.yaml. Its text is one line.
type Error struct {
	File    string // as given to Load
	Line    int    // 1-based
	Column  int    // 1-based, in characters
	Key     string // such as components.network.path; may be empty
	Message string
	Err     error // the cause, or nil
}

// Place is where the error is; see [problem.Placed].
func (e *Error) Place() (file string, line, column int) { return e.File, e.Line, e.Column }

// Error is "file:line:column: message". Editors make a link of that.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Code is [problem.Config].
func (e *Error) Code() problem.Code { return problem.Config }

// place is where a key or value is in gitops.yaml.
type place struct {
	line, column int
	parent, name string // such as components.network and path
}

// key is the full name of the key; empty for the whole document.
func (p place) key() string {
	if p.parent == "" {
		return p.name
	}
	return p.parent + "." + p.name
}

// below is the place of a key inside the mapping at p.
func (p place) below(name string, line, column int) place {
	name = problem.Shorten(name)
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && r != '/' && !unicode.IsLetter(r) && !unicode.IsNumber(r)
	}) {
		name = strconv.Quote(name)
	}
	return place{line: line, column: column, parent: p.key(), name: name}
}

// named is the key and its parent, for messages.
func (p place) named() string {
	if p.parent == "" {
		return problem.Quote(p.name)
	}
	return problem.Quote(p.name) + " under " + p.parent
}
