package fakerunner

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	gmtext "github.com/yuin/goldmark/text"
)

var gfm = goldmark.New(goldmark.WithExtensions(extension.GFM))

var (
	tag = regexp.MustCompile(`<[^>]*>?`)
	// What GitHub turns into links or pictures in text that is not code: mentions, references,
	// commits, emoji, addresses.
	effect = regexp.MustCompile(`(?i)@[a-z0-9]|#[0-9]|\bgh-[0-9]|\b[0-9a-f]{7,64}\b|:[a-z0-9_+-]+:|://|\bwww\.`)
)

// pageProblems reads Markdown as GitHub does, and lists what a report must not have: HTML tags
// other than our few, tags that are not closed, headings, images and links that come from a
// text, and text outside of code that GitHub would turn into something else.
func pageProblems(markdown string) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	src := []byte(markdown)
	var open []string // tags
	prose := func(s []byte) {
		// GitHub's filters read the page after it was unescaped.
		if found := effect.FindString(html.UnescapeString(string(s))); found != "" && !slices.Contains(open, "code") {
			problem("%q in the text %q", found, s)
		}
	}
	tags := func(s []byte) {
		last := 0
		for _, at := range tag.FindAllIndex(s, -1) {
			prose(s[last:at[0]])
			last = at[1]
			name, end := strings.CutPrefix(string(s[at[0]+1:at[1]-1]), "/")
			switch {
			case !slices.Contains([]string{"details", "summary", "code", "sub"}, name):
				problem("HTML: %q", s[at[0]:at[1]])
			case !end:
				open = append(open, name)
			case len(open) == 0 || open[len(open)-1] != name:
				problem("</%s> while %q are open", name, open)
			default:
				open = open[:len(open)-1]
			}
		}
		prose(s[last:])
	}
	_ = ast.Walk(gfm.Parser().Parse(gmtext.NewReader(src)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock:
			block := n.Lines().Value(src)
			if n.HasClosure() {
				block = append(bytes.Clone(block), n.ClosureLine.Value(src)...)
			}
			tags(block)
		case *ast.RawHTML:
			tags(n.Segments.Value(src))
		case *ast.Text:
			prose(n.Segment.Value(src))
		case *ast.CodeSpan:
			return ast.WalkSkipChildren, nil
		case *ast.Image, *ast.AutoLink, *ast.CodeBlock:
			problem("a %s", n.Kind())
		}
		return ast.WalkContinue, nil
	})
	if len(open) > 0 {
		problem("tags left open: %q", open)
	}
	return problems
}
