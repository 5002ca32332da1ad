package gha_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// runner is a small model of what github.com/actions/runner makes of a step's
// standard output and of its output file: OutputManager.cs,
// ActionCommand.cs, ActionCommandManager.cs and FileCommandManager.cs.
type runner struct {
	commands []command
	shown    []string // lines that are no commands, as the log shows them
	grouped  []string // those of them that were shown while a group was open
	sections []section
	inGroup  bool
	resume   string // not empty while commands are stopped
}

// section is a group as the log's page shows it.
type section struct {
	title string
	lines []string
}

type command struct {
	name       string
	properties map[string]string
	data       string
}

var registered = map[string]bool{
	"stop-commands": true, "set-env": true, "set-output": true, "save-state": true, "add-mask": true,
	"add-path": true, "add-matcher": true, "remove-matcher": true, "debug": true, "warning": true,
	"error": true, "notice": true, "group": true, "endgroup": true, "echo": true,
}

// run reads a step's whole output. The runner's line reader ends a line at \n,
// \r\n and a lone \r.
func run(output string) *runner {
	r := &runner{}
	output = strings.ReplaceAll(output, "\r\n", "\n")
	output = strings.ReplaceAll(output, "\r", "\n")
	for line := range strings.Lines(output) {
		r.line(strings.TrimSuffix(line, "\n"))
	}
	return r
}

func (r *runner) line(line string) {
	c, ok := r.parseV2(line)
	if !ok {
		c, ok = r.parseV1(line)
	}
	switch {
	case ok && r.resume != "":
		if strings.EqualFold(c.name, r.resume) {
			r.resume = ""
			return
		}
	case ok && strings.EqualFold(c.name, "stop-commands"):
		if c.data == "" || registered[strings.ToLower(c.data)] || c.data == "pause-logging" {
			panic(fmt.Sprintf("the runner refuses the stop token %q", c.data))
		}
		r.resume = c.data
		return
	case ok:
		c.name = strings.ToLower(c.name)
		switch c.name {
		case "group":
			r.inGroup = true
			r.sections = append(r.sections, section{title: c.data})
		case "endgroup":
			r.inGroup = false
		}
		r.commands = append(r.commands, c)
		return
	}
	r.shown = append(r.shown, line)
	if r.inGroup {
		r.grouped = append(r.grouped, line)
		last := &r.sections[len(r.sections)-1]
		last.lines = append(last.lines, line)
	}
	// The log's page acts on these by itself.
	if strings.HasPrefix(line, "##[endgroup]") {
		r.inGroup = false
	}
}

func (r *runner) known(name string) bool {
	return registered[strings.ToLower(name)] || r.resume != "" && strings.EqualFold(name, r.resume)
}

func (r *runner) parseV2(line string) (command, bool) {
	line = strings.TrimLeftFunc(line, unicode.IsSpace)
	rest, ok := strings.CutPrefix(line, "::")
	if !ok {
		return command{}, false
	}
	info, data, ok := strings.Cut(rest, "::")
	if !ok {
		return command{}, false
	}
	name, properties, _ := strings.Cut(info, " ")
	if !r.known(name) {
		return command{}, false
	}
	c := command{name: name, properties: map[string]string{}}
	for property := range strings.SplitSeq(strings.TrimSpace(properties), ",") {
		if key, value, ok := strings.Cut(property, "="); ok && key != "" && value != "" {
			c.properties[key] = unescape(value, "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
		}
	}
	c.data = unescape(data, "%0D", "\r", "%0A", "\n", "%25", "%")
	return c, true
}

func (r *runner) parseV1(line string) (command, bool) {
	_, rest, ok := strings.Cut(line, "##[")
	if !ok {
		return command{}, false
	}
	info, data, ok := strings.Cut(rest, "]")
	if !ok {
		return command{}, false
	}
	name, _, _ := strings.Cut(info, " ")
	if !r.known(name) {
		return command{}, false
	}
	return command{name: name, data: unescape(data, "%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%25", "%")}, true
}

// unescape replaces one escape after the other, as the runner does.
func unescape(s string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, pairs[i], pairs[i+1])
	}
	return s
}

// named returns the commands of that name.
func (r *runner) named(name string) []command {
	var found []command
	for _, c := range r.commands {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// withoutTokens makes random tokens readable, so that output can be compared.
func withoutTokens(output string) string {
	output = regexp.MustCompile(`(?m)^::stop-commands::[A-Z2-7]{26}$`).ReplaceAllString(output, "::stop-commands::TOKEN")
	return regexp.MustCompile(`(?m)^::[A-Z2-7]{26}::$`).ReplaceAllString(output, "::TOKEN::")
}

type output struct{ name, value string }

// readOutputs reads an output file as EnvFileKeyValuePairs does on Linux.
func readOutputs(t *testing.T, text string) []output {
	t.Helper()
	var found []output
	next := func() (string, bool) {
		if text == "" {
			return "", false
		}
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		return line, true
	}
	for {
		line, ok := next()
		if !ok {
			return found
		}
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case equals >= 0 && (heredoc < 0 || equals < heredoc):
			found = append(found, output{line[:equals], line[equals+1:]})
		case heredoc > 0 && line[heredoc+2:] != "":
			delimiter := line[heredoc+2:]
			var value []string
			for {
				content, ok := next()
				if !ok {
					t.Fatalf("output file: delimiter %q not found", delimiter)
				}
				if content == delimiter {
					break
				}
				value = append(value, content)
			}
			found = append(found, output{line[:heredoc], strings.Join(value, "\n")})
		default:
			t.Fatalf("output file: invalid line %q", line)
		}
	}
}
