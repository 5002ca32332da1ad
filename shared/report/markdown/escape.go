// Package markdown writes Markdown that is safe and not too long.
//
// Safe: on GitHub's page, text from outside (names, values, errors) appears only as the text
// that it is. See [Text], [Code] and [Fence]. Not too long: a [Document] leaves out details
// until it fits a limit, and says so.
package markdown

import "strings"

// The rule of this file: text from outside becomes code, in a span or in a fence. Only in code
// GitHub interprets nothing: no HTML, no Markdown, and none of the filters that run on the
// rendered page (mentions, references, commits, emoji, math, links), since all of them skip
// <code> and <pre>. Entities and backslashes do not help: those filters see the page after
// unescaping, so `&#64;octocat` still notifies octocat.

// Code returns s as an inline code span that nothing in s can end. It writes out what nobody
// can see: newlines as \n, other control, format and bidirectional characters as \x1b or
// \u202e, bytes that are not UTF-8 as \xff. It also writes out the ! of every <!--, so that
// nobody can forge this project's hidden markers. For an empty s the span has one space.
func Code(s string) string { return span(string(AppendVisible(nil, s, Inline))) }

// span puts s between backticks. s is visible already. Nothing can be escaped in a code span:
// it ends at the first run of as many backticks as began it (CommonMark 0.31, section 6.1).
func span(s string) string {
	if s == "" {
		s = " "
	}
	if !strings.Contains(s, "`") {
		// GitHub would remove one space at both ends.
		if s[0] == ' ' && s[len(s)-1] == ' ' && strings.Trim(s, " ") != "" {
			s = " " + s + " "
		}
		return "`" + s + "`"
	}
	used := map[int]bool{}
	for run, i := 0, 0; i <= len(s); i++ {
		if i < len(s) && s[i] == '`' {
			run++
			continue
		}
		used[run], run = true, 0
	}
	n := 1
	for used[n] {
		n++
	}
	ticks := strings.Repeat("`", n)
	return ticks + " " + s + " " + ticks
}

// Cell is [Code] for a cell of a table. A pipe ends a cell even in code, unless there is a
// backslash before it. Parsers disagree about a second backslash before that one, so a pipe
// after a backslash gets a code element of its own.
func Cell(s string) string {
	s = string(AppendVisible(nil, s, Inline))
	if !strings.Contains(s, "|") {
		return span(s)
	}
	parts := strings.Split(s, `\|`)
	var b strings.Builder
	for i, part := range parts {
		last := i == len(parts)-1
		if !last {
			part += `\`
		}
		if part != "" {
			b.WriteString(strings.ReplaceAll(span(part), "|", `\|`))
		}
		if !last {
			b.WriteString("<code>&#124;</code>")
		}
	}
	return b.String()
}

var html = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

// Element is [Code] for HTML, such as a <summary>, where GitHub reads no Markdown.
func Element(s string) string {
	return "<code>" + html.Replace(string(AppendVisible(nil, s, Inline))) + "</code>"
}

// Fence returns s as a fenced code block. It must begin a line, and ends with a newline.
// Nothing in s can close it. Newlines and tabs stay; what else nobody can see is written out,
// as [Code] does. A lang that is not a plain lower-case word is left out.
func Fence(lang, s string) string {
	for _, r := range lang {
		if r < 'a' || r > 'z' {
			lang = ""
			break
		}
	}
	body := AppendVisible(make([]byte, 0, len(s)+1), s, Block)
	if len(body) > 0 && body[len(body)-1] != '\n' {
		body = append(body, '\n')
	}
	return FenceVisible(lang, body)
}

// FenceVisible is [Fence] for a body that is visible already and ends with a newline.
func FenceVisible(lang string, body []byte) string {
	ticks := strings.Repeat("`", max(3, LongestRun(body)+1))
	var b strings.Builder
	b.Grow(len(body) + 2*len(ticks) + len(lang) + 2)
	b.WriteString(ticks)
	b.WriteString(lang)
	b.WriteByte('\n')
	b.Write(body)
	b.WriteString(ticks)
	b.WriteByte('\n')
	return b.String()
}

// LongestRun is the length of the longest run of backticks in s.
func LongestRun[T string | []byte](s T) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// Codes lists the first few of some names.
func Codes(names []string) string {
	const most = 5
	var list []string
	for _, name := range names[:min(most, len(names))] {
		list = append(list, Code(Clip(name, MaxName)))
	}
	if more := len(names) - most; more > 0 {
		list = append(list, Comma(more)+" more")
	}
	return strings.Join(list, ", ")
}
