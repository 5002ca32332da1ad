package atmos

import (
	"regexp"
	"strings"
)

var (
	terminal = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")
	// errorHeading begins what Atmos says of an error; anything else that it says before
	// is not about that.
	errorHeading = regexp.MustCompile(`^#+ .*Error *$`)
	otherHeading = regexp.MustCompile(`^#+ +(.*?) *$`)
	boldError    = regexp.MustCompile(`^\*\*Error:\*\* *`)
	// progress and warnings are no errors, wherever they stand.
	aside     = regexp.MustCompile(`^(⚠|WARN\b|INFO\b|DEBU\b|TRCE\b|✓|Fetching )`)
	processed = regexp.MustCompile(`File being processed: (\S+)`)
	codeEnd   = regexp.MustCompile(`^subcommand exited with code [0-9]+$`)
)

// atmosSaid is what Atmos says of an error, unwrapped.
type errorText struct {
	paragraphs []string // of the error itself
	hints      []string
	file       string // that was read; empty when it is not said
}

// readSaid reads the text of an error as Atmos prints it where there is no terminal:
// Markdown, which newer versions wrap, so that a line may end between any two words.
func readSaid(said string) errorText {
	var lines []string
	for line := range strings.SplitSeq(terminal.ReplaceAllString(said, ""), "\n") {
		if i := strings.LastIndexByte(strings.TrimRight(line, "\r"), '\r'); i >= 0 {
			line = line[i+1:] // it has written over what was before
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

// String is the error on a line: what is wrong, where, and what Atmos recommends.
func (s errorText) String() string {
	// A paragraph that is a sentence needs no colon after it.
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

// clipped keeps a part of a message readable; all of it is in the log.
func clipped(s string) string {
	const most = 500 // bytes
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
