package atmos

import (
	"regexp"
	"strings"
)

var (
	terminal = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")
	// errorHeading is the line before an error. What Atmos prints above it belongs to
	// something else.
	errorHeading = regexp.MustCompile(`^#+ .*Error *$`)
	otherHeading = regexp.MustCompile(`^#+ +(.*?) *$`)
	boldError    = regexp.MustCompile(`^\*\*Error:\*\* *`)
	// aside are progress and warnings, which may be anywhere.
	aside     = regexp.MustCompile(`^(⚠|WARN\b|INFO\b|DEBU\b|TRCE\b|✓|Fetching )`)
	processed = regexp.MustCompile(`File being processed: (\S+)`)
	codeEnd   = regexp.MustCompile(`^subcommand exited with code [0-9]+$`)
)

// errorText is an error as Atmos prints it, with its lines joined to paragraphs.
type errorText struct {
	paragraphs []string // the error itself
	hints      []string
	file       string // the file with the error; empty if it is not said
}

// readSaid reads an error as Atmos prints it without a terminal: in Markdown. Newer versions
// wrap it, so that a line may end between any two words.
func readSaid(said string) errorText {
	var lines []string
	for line := range strings.SplitSeq(terminal.ReplaceAllString(said, ""), "\n") {
		if i := strings.LastIndexByte(strings.TrimRight(line, "\r"), '\r'); i >= 0 {
			line = line[i+1:] // it replaced what was on the line before
		}
		lines = append(lines, strings.TrimRight(line, " \r"))
	}
	begin := 0
	for i, line := range lines {
		if errorHeading.MatchString(line) {
			begin = i + 1
		}
	}
	var s errorText
	var paragraph []string
	hints := false
	end := func() {
		text := strings.Join(paragraph, " ")
		paragraph = nil
		text = strings.TrimSpace(boldError.ReplaceAllString(text, ""))
		switch {
		case text == "" || codeEnd.MatchString(text):
		case hints || strings.HasPrefix(text, "💡"):
			s.hints = append(s.hints, strings.TrimSpace(strings.TrimLeft(text, "💡-* ")))
		case processed.MatchString(text):
			s.file = processed.FindStringSubmatch(text)[1]
			if before, _, _ := strings.Cut(text, "File being processed:"); strings.TrimSpace(before) != "" {
				s.paragraphs = append(s.paragraphs, strings.TrimSpace(before))
			}
		default:
			s.paragraphs = append(s.paragraphs, text)
		}
	}
	for _, line := range lines[begin:] {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
			end()
		case aside.MatchString(trimmed):
		case otherHeading.MatchString(trimmed):
			end()
			hints = strings.Contains(strings.ToLower(trimmed), "hint")
		default:
			if strings.HasPrefix(trimmed, "💡") {
				end() // each hint begins a line
			}
			paragraph = append(paragraph, trimmed)
		}
	}
	end()
	return s
}

// String is the error on a line: what is wrong, where, and what Atmos suggests.
func (s errorText) String() string {
	// No colon follows a sentence.
	text := strings.NewReplacer(".: ", ". ", "?: ", "? ", ":: ", ": ").Replace(strings.Join(s.paragraphs, ": "))
	text = clipped(text)
	if s.file != "" {
		text += " (in " + clipped(s.file) + ")"
	}
	if len(s.hints) > 0 {
		text = strings.TrimSuffix(text, ".") + ". Hint: " + clipped(strings.Join(s.hints, "; "))
	}
	return text
}

// clipped cuts a long part of a message. The log has all of it.
func clipped(s string) string {
	const most = 500 // bytes
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
