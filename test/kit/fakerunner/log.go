package fakerunner

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// taken are the commands that GitHub's runner executes in a step's log (the classes in
// ActionCommandManager.cs), and whether an action may print them.
var taken = map[string]bool{
	"group": true, "endgroup": true, "error": true, "warning": true, "notice": true, "add-mask": true,
	"add-matcher": false, "add-path": false, "debug": false, "echo": false, "internal-set-repo-path": false,
	"remove-matcher": false, "save-state": false, "set-env": false, "set-output": false,
}

var (
	// TryParseV2 and TryParse of ActionCommand.cs.
	command    = regexp.MustCompile(`^::([^\s:]+)(?: [^:]*)?::`)
	oldCommand = regexp.MustCompile(`##\[([a-zA-Z-]+)`)
)

// logProblems reads a step's log as the runner does, and lists what an action must not print: a
// command that was not intended, a text that the log's page takes for one, and a group that is
// still open at the end of a step that was not killed.
func logProblems(log string, killed bool) (problems []string) {
	token, groups := "", 0
	for line := range strings.FieldsFuncSeq(log, func(c rune) bool { return c == '\n' || c == '\r' }) {
		if old := oldCommand.FindString(line); old != "" {
			problems = append(problems, fmt.Sprintf("%s in %q", old, line))
		}
		found := command.FindStringSubmatch(strings.TrimLeftFunc(line, unicode.IsSpace))
		if found == nil {
			continue
		}
		name := strings.ToLower(found[1])
		allowed, known := taken[name]
		switch {
		case token != "" && name == token:
			token = ""
		case token != "" && known:
			problems = append(problems, fmt.Sprintf("only the stop keeps the runner from taking %q", line))
		case token != "":
		case name == "stop-commands":
			token = strings.ToLower(line[strings.LastIndex(line, ":")+1:])
		case name == "group":
			groups++
		case name == "endgroup":
			groups--
		case known && !allowed:
			problems = append(problems, fmt.Sprintf("the runner takes %q", line))
		}
	}
	if !killed && (token != "" || groups != 0) {
		problems = append(problems, fmt.Sprintf("at the end %d groups are open, and commands stopped by %q", groups, token))
	}
	return problems
}
