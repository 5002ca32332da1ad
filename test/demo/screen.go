package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// width is the maximal number of columns in a line. Only a path may be longer.
const width = 100

// screen is what the user sees.
type screen struct {
	out     io.Writer
	colour  bool
	verbose bool
}

// colourful reports whether a file is a terminal of a user who wants colours:
// https://no-color.org
func colourful(f *os.File, environ []string) bool {
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); name == "NO_COLOR" && value != "" || entry == "TERM=dumb" {
			return false
		}
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Colours of a terminal.
const (
	bold  = "1"
	faint = "2"
	red   = "31"
	green = "32"
)

func (s *screen) paint(colour, text string) string {
	if !s.colour || colour == "" {
		return text
	}
	return "\033[" + colour + "m" + text + "\033[0m"
}

func (s *screen) line(text string) { fmt.Fprintln(s.out, strings.TrimRight(text, " ")) }
func (s *screen) blank()           { s.line("") }

// path prints a path, which stays whole.
func (s *screen) path(path string) { s.line(path) }

// text prints a paragraph. A word that is longer than a line, such as a path, is not cut.
func (s *screen) text(text string) {
	for _, line := range wrap(text) {
		s.line(line)
	}
}

func (s *screen) verdict(lines ...string) {
	for i, line := range lines {
		mark := "  "
		if i == 0 {
			mark = "✔ "
		}
		s.line(s.paint(green, mark+line))
	}
}

// failure prints why there is no verdict.
func (s *screen) failure(err error) {
	lines := wrap("✖ make demo: " + err.Error())
	s.line(s.paint(red, lines[0]))
	for _, line := range lines[1:] {
		s.line(line)
	}
}

// step prints a line of the story: its number, its title, its result, and a planfile or a code. A
// title may have 25 columns, and a result 41.
func (s *screen) step(number int, title string, out outcome) {
	first := fmt.Sprint(number)
	for i := range max(len(out.What), len(out.Right)) {
		what, right := at(out.What, i), at(out.Right, i)
		colour := ""
		switch {
		case strings.HasPrefix(what, "✔"):
			colour = green
		case strings.HasPrefix(what, "✖"):
			colour = red
		}
		s.line(fmt.Sprintf("%1s  %s  %s  %s", first, s.paint(bold, pad(title, 25)), s.paint(colour, pad(what, 41)), s.paint(faint, right)))
		first, title = "", ""
	}
	for _, detail := range out.Details {
		s.line("     " + cut(detail, width-5))
	}
}

// heading begins a step whose summaries follow.
func (s *screen) heading(title string) {
	if s.verbose {
		s.line("\n" + s.paint(bold, "== "+title))
	}
}

// summary prints a summary as the page shows it at first, with collapsed sections.
func (s *screen) summary(action string, inputs map[string]string, markdown string) {
	if !s.verbose {
		return
	}
	uses := "   uses: ./actions/" + action
	for _, name := range []string{"component", "stack"} {
		if inputs[name] != "" {
			uses += "   " + name + ": " + inputs[name]
		}
	}
	s.line("\n" + uses + "\n")
	s.markdown(markdown)
	s.blank()
}

func (s *screen) markdown(markdown string) {
	open := 0
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		open += strings.Count(line, "<details")
		if (open == 0 || strings.Contains(line, "<summary")) && !strings.HasPrefix(line, "<!--") { // which a page does not show
			s.line("   | " + line)
		}
		open -= strings.Count(line, "</details>")
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-utf8.RuneCountInString(text)))
}

func cut(text string, columns int) string {
	if runes := []rune(text); len(runes) > columns {
		return string(runes[:columns-1]) + "…"
	}
	return text
}

// wrap breaks a text into lines of at most width columns, between words.
func wrap(text string) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		lines = append(lines, line)
	}
	return slices.Clip(lines)
}
