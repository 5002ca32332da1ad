package markdown

import "strings"

// Paragraphs returns prose of several lines: a paragraph for each block of lines. Indented
// lines become code, since their shape matters.
func Paragraphs(s string, text func(string) string) string {
	var b strings.Builder
	var run []string
	code := false
	flush := func() {
		if len(run) > 0 && code {
			b.WriteString(Fence("text", strings.Join(run, "\n")) + "\n")
		} else if len(run) > 0 {
			b.WriteString(text(strings.Join(run, " ")) + "\n\n")
		}
		run = run[:0]
	}
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			flush()
			continue
		}
		if indented := line[0] == ' ' || line[0] == '\t'; indented != code {
			flush()
			code = indented
		}
		run = append(run, line)
	}
	flush()
	return b.String()
}
