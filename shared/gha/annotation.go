package gha

import (
	"strconv"
	"strings"
	"unicode"
)

// messageLimit is how many UTF-16 units of a message the runner sends to the check run
// (_maxIssueMessageLength in the runner's ExecutionContext.cs). It silently drops the rest.
const messageLimit = 4096

// Annotation is a message that GitHub shows on the run's page and, if it has a file and a
// line, beside that line in the pull request.
type Annotation struct {
	Title string // one line; optional
	// File is relative to the workspace, with "/" on every system; optional.
	File string
	// Line and EndLine are 1-based, and 0 if unknown.
	Line, EndLine int
	// Column is 1-based, and 0 if unknown. GitHub ignores it for an annotation of
	// several lines.
	Column int
	// Message may have several lines. The log shows them, too, so "##[" in it is broken
	// up as in a group. It is cut at 4,096 characters, with an ellipsis: GitHub shows no
	// more.
	Message string
}

// Error prints an error annotation. It does not end the step. GitHub shows the
// first ten errors of a step, the log all of them.
func (r *Runtime) Error(a Annotation) { r.annotate("error", a) }

// Warning prints a warning annotation; see [Runtime.Error].
func (r *Runtime) Warning(a Annotation) { r.annotate("warning", a) }

// Notice prints a notice annotation; see [Runtime.Error].
func (r *Runtime) Notice(a Annotation) { r.annotate("notice", a) }

func (r *Runtime) annotate(level string, a Annotation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var properties []string
	add := func(key, value string) {
		properties = append(properties, key+"="+escapeProperty(value))
	}
	// The order is fixed, so that equal annotations are equal lines.
	if title := withoutMarks(r.redacted(oneLine(a.Title))); title != "" {
		add("title", title)
	}
	if a.File != "" {
		add("file", r.redacted(a.File))
		if a.Line > 0 {
			add("line", strconv.Itoa(a.Line))
			if a.EndLine > a.Line {
				add("endLine", strconv.Itoa(a.EndLine))
			} else if a.Column > 0 {
				add("col", strconv.Itoa(a.Column))
			}
		}
	}
	line := "::" + level
	if len(properties) > 0 {
		line += " " + strings.Join(properties, ",")
	}
	// Redacted before it is cut: half a secret is a secret too.
	r.command(line + "::" + escapeData(cut(withoutMarks(r.redacted(a.Message)), messageLimit)))
}

// command writes the line of a command. The caller holds the lock. The runner ignores
// commands within a group, so an open group's section ends here. The group's next line
// opens it again.
func (r *Runtime) command(line string) {
	// If the log cannot be written, nobody can be told, and an apply must not stop.
	_, _ = r.stdout.Write(append(r.leaveSection(nil), line+"\n"...))
}

// The runner undoes exactly these escapes, %25 last (_escapeDataMappings and
// _escapePropertyMappings in ActionCommand.cs).
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// oneLine replaces each run of control characters and white space by one space.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsControl(c)
	}), " ")
}

// cut shortens s to limit UTF-16 units, in which the runner counts.
func cut(s string, limit int) string {
	units, end := 0, 0 // UTF-16 units before i, and where the ellipsis would go
	for i, c := range s {
		if units < limit {
			end = i
		}
		units++
		if c > 0xFFFF {
			units++
		}
		if units > limit {
			return s[:end] + "…"
		}
	}
	return s
}
