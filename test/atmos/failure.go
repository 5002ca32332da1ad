package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"
)

// failure is an error with an explanation in several paragraphs. 1.196 prints them on one line.
type failure struct{ title, explanation string }

func (f *failure) Error() string {
	return f.title + ": " + strings.Join(strings.Fields(f.explanation), " ")
}

// printError prints an error as Atmos does without a terminal: in Markdown, which 1.227 wraps at 120
// columns.
func printError(err error) {
	if !modern() {
		fmt.Fprintf(os.Stderr, "\n# Error \n \n%s \n\n\n", err)
		return
	}
	text := err.Error()
	var f *failure
	if errors.As(err, &f) {
		text = f.title + "\n\n" + f.explanation
	}
	fmt.Fprintf(os.Stderr, "\n# Error\n\n%s\n", wrapped("**Error:** "+text, 120))
}

// wrapped breaks lines at spaces, so that none has more than a width's characters.
func wrapped(text string, width int) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		short := ""
		for i, word := range strings.Split(line, " ") {
			switch {
			case i == 0:
				short = word
			case utf8.RuneCountInString(short)+1+utf8.RuneCountInString(word) > width:
				lines = append(lines, short)
				short = word
			default:
				short += " " + word
			}
		}
		lines = append(lines, short)
	}
	return strings.Join(lines, "\n")
}
