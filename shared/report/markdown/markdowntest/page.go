package markdowntest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// Page is what GitHub would make of some Markdown, as far as a report's safety goes.
type Page struct {
	Headings []string // the text of each, code left out
	Links    []string // addresses
	Code     []string // the text of each code span, fence, and code element
	Prose    []string // all other text
	Rows     [][]string
	Problems []string
}

var gfm = goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList))

var (
	tag = regexp.MustCompile(`<[^>]*>?`)
	// What GitHub's filters look for in text that is not code.
	effects = regexp.MustCompile(`(?i)@[a-z0-9]|#[0-9]|\bgh-[0-9]|\b[0-9a-f]{7,64}\b|:[a-z0-9_+-]+:|\$|://|\bwww\.[a-z0-9]|\[\^|<!--|[\x00-\x09\x0b-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]`)
)

// readPage parses md as GitHub does and looks for all that a report must not
// have: HTML beyond our own, tags left open, a fence left open, and text
// outside of code that GitHub would make something of.
func readPage(md string) *Page {
	p := &Page{}
	if !utf8.ValidString(md) {
		p.problem("not UTF-8")
	}
	if strings.Contains(md, "<!--") {
		p.problem("a hidden comment")
	}
	if ticks := openFence(md); ticks != "" {
		p.problem("a fence is left open: %s", ticks)
	}
	src := []byte(md)
	doc := gfm.Parser().Parse(text.NewReader(src))
	var open []string // tags
	html := func(s string) {
		rest := 0
		for _, at := range tag.FindAllStringIndex(s, -1) {
			p.text(s[rest:at[0]], slices.Contains(open, "code"))
			rest = at[1]
			switch name := s[at[0]:at[1]]; name {
			case "<details>", "<summary>", "<code>", "<sub>":
				open = append(open, strings.Trim(name, "<>"))
			case "</details>", "</summary>", "</code>", "</sub>":
				if name = strings.Trim(name, "</>"); len(open) == 0 || open[len(open)-1] != name {
					p.problem("</%s> closes %q", name, open)
				} else {
					open = open[:len(open)-1]
				}
			default:
				p.problem("HTML that is not ours: %q", name)
			}
		}
		p.text(s[rest:], slices.Contains(open, "code"))
	}
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.Headings = append(p.Headings, strings.TrimSpace(proseOf(n, src)))
		case *ast.HTMLBlock:
			var b strings.Builder
			for i := range n.Lines().Len() {
				s := n.Lines().At(i)
				b.Write(s.Value(src))
			}
			if n.HasClosure() {
				b.Write(n.ClosureLine.Value(src))
			}
			html(b.String())
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				s := n.Segments.At(i)
				html(string(s.Value(src)))
			}
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			var b strings.Builder
			for i := range n.Lines().Len() {
				s := n.Lines().At(i)
				b.Write(s.Value(src))
			}
			p.text(b.String(), true)
			if _, indented := n.(*ast.CodeBlock); indented {
				p.problem("an indented code block: %q", b.String())
			}
		case *ast.CodeSpan:
			p.text(codeOf(n, src), true)
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			p.text(string(n.Segment.Value(src)), slices.Contains(open, "code"))
		case *ast.String:
			p.text(string(n.Value), slices.Contains(open, "code"))
		case *ast.AutoLink:
			p.problem("an autolink: %s", n.URL(src))
		case *ast.Link:
			p.Links = append(p.Links, string(n.Destination))
		case *ast.Image:
			p.problem("an image: %s", n.Destination)
		case *east.Strikethrough, *east.TaskCheckBox, *east.FootnoteLink, *east.Footnote, *east.DefinitionList, *ast.Blockquote, *east.Table, *ast.List:
			switch n.(type) {
			case *ast.Blockquote, *east.Table, *ast.List:
			default:
				p.problem("a %s", n.Kind())
			}
		case *east.TableRow:
			var row []string
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				row = append(row, contentOf(c, src))
			}
			p.Rows = append(p.Rows, row)
		}
		return ast.WalkContinue, nil
	})
	if len(open) > 0 {
		p.problem("tags left open: %q", open)
	}
	return p
}

func (p *Page) text(s string, code bool) {
	if code {
		p.Code = append(p.Code, UnescapeHTML.Replace(s))
		return
	}
	p.Prose = append(p.Prose, s)
	if m := effects.FindString(UnescapeHTML.Replace(s)); m != "" {
		p.problem("text that GitHub makes something of: %q in %q", m, s)
	}
}

// UnescapeHTML turns the entities that reports have into what they stand for.
var UnescapeHTML = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&#124;", "|",
	"&#46;", ".", "&#44;", ",", "&#59;", ";", "&#58;", ":", "&#33;", "!", "&#63;", "?", "&#41;", ")")

func (p *Page) problem(format string, args ...any) {
	p.Problems = append(p.Problems, fmt.Sprintf(format, args...))
}

// codeOf is the text of a code span. Within a table goldmark leaves out the
// backslash before a pipe by splitting the text there.
func codeOf(n ast.Node, src []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(src))
		case *ast.String:
			b.Write(c.Value)
		}
	}
	return b.String()
}

// proseOf is the text below n that is not code.
func proseOf(n ast.Node, src []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(src))
		case *ast.CodeSpan:
		default:
			b.WriteString(proseOf(c, src))
		}
	}
	return b.String()
}

// contentOf is the text that a reader sees below n, code and all.
func contentOf(n ast.Node, src []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.WriteString(UnescapeHTML.Replace(string(c.Segment.Value(src))))
			if c.SoftLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.WriteString(UnescapeHTML.Replace(string(c.Value)))
		case *ast.CodeSpan:
			b.WriteString(codeOf(c, src))
		case *ast.RawHTML:
		default:
			b.WriteString(contentOf(c, src))
		}
	}
	return b.String()
}

// openFence is the fence that is open at md's end. All of ours begin a line.
func openFence(md string) string {
	open := ""
	for line := range strings.Lines(md) {
		line = strings.TrimSuffix(line, "\n")
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case open == "" && len(ticks) >= 3 && !strings.Contains(line[len(ticks):], "`"):
			open = ticks
		case open != "" && len(ticks) >= len(open) && ticks == line:
			open = ""
		}
	}
	return open
}

// Check fails the test when md is not what a report may be.
func Check(t *testing.T, md string) *Page {
	t.Helper()
	p := readPage(md)
	for _, problem := range p.Problems {
		t.Error(problem)
	}
	if t.Failed() {
		t.Logf("in:\n%.4000s", md)
	}
	return p
}
