package main

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	goldmarkhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// markdown reads what GitHub reads: its flavour, with HTML in it.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Linkify, extension.Strikethrough, extension.TaskList,
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
	goldmark.WithRendererOptions(goldmarkhtml.WithUnsafe()),
)

// sanitiser accepts the elements of texts. It rejects whatever runs, loads, or could imitate the page
// around it.
// https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/sanitization_filter.rb
var sanitiser = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code", "em", "strong", "del", "ins", "sub", "sup",
		"kbd", "b", "i", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "div", "span")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[a-z]+$`)).OnElements("code")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|right|center)$`)).OnElements("td", "th")
	p.AllowAttrs("open").Matching(regexp.MustCompile(`^(open)?$`)).OnElements("details")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	return p
}()

// render turns Markdown into the HTML that GitHub shows.
func render(text string) (template.HTML, error) {
	var raw bytes.Buffer
	if err := markdown.Convert([]byte(text), &raw); err != nil {
		return "", err
	}
	around := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(bytes.NewReader(sanitiser.SanitizeBytes(raw.Bytes())), around)
	if err != nil {
		return "", err
	}
	for _, n := range nodes {
		around.AppendChild(n)
	}
	finish(around)
	var page bytes.Buffer
	for n := range around.ChildNodes() {
		if err := html.Render(&page, n); err != nil {
			return "", err
		}
	}
	return template.HTML(page.String()), nil
}

// finish adds what GitHub adds after its sanitiser: alerts, and the colours of a diff. Links into the
// demo's repository become links within the page, since the repository is not on GitHub.
func finish(n *html.Node) {
	for child := range n.ChildNodes() {
		finish(child)
	}
	switch {
	case n.DataAtom == atom.Blockquote:
		alert(n)
	case n.DataAtom == atom.Code && attribute(n, "class") == "language-diff":
		diff(n)
	case n.DataAtom == atom.A:
		for i, a := range n.Attr {
			if a.Key == "href" {
				n.Attr[i].Val = local(a.Val)
			}
		}
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

var ofRepository = regexp.MustCompile(`^/` + repository + `/(actions/runs|issues)/([0-9]+)`)

func local(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host != "github.com" {
		return address
	}
	m := ofRepository.FindStringSubmatch(u.Path)
	switch {
	case m == nil:
		return address
	case m[1] == "issues":
		return "#issue-" + m[2]
	}
	return "#run-" + m[2]
}

var marker = regexp.MustCompile(`^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(\n|$)`)

// Octicons, by GitHub (MIT licence).
var icons = map[string]string{
	"note":      `M0 8a8 8 0 1 1 16 0A8 8 0 0 1 0 8Zm8-6.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM6.5 7.75A.75.75 0 0 1 7.25 7h1a.75.75 0 0 1 .75.75v2.75h.25a.75.75 0 0 1 0 1.5h-2a.75.75 0 0 1 0-1.5h.25v-2h-.25a.75.75 0 0 1-.75-.75ZM8 6a1 1 0 1 1 0-2 1 1 0 0 1 0 2Z`,
	"tip":       `M8 1.5c-2.363 0-4 1.69-4 3.75 0 .984.424 1.625.984 2.304l.214.253c.223.264.47.556.673.848.284.411.537.896.621 1.49a.75.75 0 0 1-1.484.211c-.04-.282-.163-.547-.37-.847a8.456 8.456 0 0 0-.542-.68c-.084-.1-.173-.205-.268-.32C3.201 7.75 2.5 6.766 2.5 5.25 2.5 2.31 4.863 0 8 0s5.5 2.31 5.5 5.25c0 1.516-.701 2.5-1.328 3.259-.095.115-.184.22-.268.319-.207.245-.383.453-.541.681-.208.3-.33.565-.37.847a.751.751 0 0 1-1.485-.212c.084-.593.337-1.078.621-1.489.203-.292.45-.584.673-.848.075-.088.147-.173.213-.253.561-.679.985-1.32.985-2.304 0-2.06-1.637-3.75-4-3.75ZM5.75 12h4.5a.75.75 0 0 1 0 1.5h-4.5a.75.75 0 0 1 0-1.5ZM6 15.25a.75.75 0 0 1 .75-.75h2.5a.75.75 0 0 1 0 1.5h-2.5a.75.75 0 0 1-.75-.75Z`,
	"important": `M0 1.75C0 .784.784 0 1.75 0h12.5C15.216 0 16 .784 16 1.75v9.5A1.75 1.75 0 0 1 14.25 13H8.06l-2.573 2.573A1.458 1.458 0 0 1 3 14.543V13H1.75A1.75 1.75 0 0 1 0 11.25Zm1.75-.25a.25.25 0 0 0-.25.25v9.5c0 .138.112.25.25.25h2a.75.75 0 0 1 .75.75v2.19l2.72-2.72a.749.749 0 0 1 .53-.22h6.5a.25.25 0 0 0 .25-.25v-9.5a.25.25 0 0 0-.25-.25Zm7 2.25v2.5a.75.75 0 0 1-1.5 0v-2.5a.75.75 0 0 1 1.5 0ZM9 9a1 1 0 1 1-2 0 1 1 0 0 1 2 0Z`,
	"warning":   `M6.457 1.047c.659-1.234 2.427-1.234 3.086 0l6.082 11.378A1.75 1.75 0 0 1 14.082 15H1.918a1.75 1.75 0 0 1-1.543-2.575Zm1.763.707a.25.25 0 0 0-.44 0L1.698 13.132a.25.25 0 0 0 .22.368h12.164a.25.25 0 0 0 .22-.368Zm.53 3.996v2.5a.75.75 0 0 1-1.5 0v-2.5a.75.75 0 0 1 1.5 0ZM9 11a1 1 0 1 1-2 0 1 1 0 0 1 2 0Z`,
	"caution":   `M4.47.22A.749.749 0 0 1 5 0h6c.199 0 .389.079.53.22l4.25 4.25c.141.14.22.331.22.53v6a.749.749 0 0 1-.22.53l-4.25 4.25A.749.749 0 0 1 11 16H5a.749.749 0 0 1-.53-.22L.22 11.53A.749.749 0 0 1 0 11V5c0-.199.079-.389.22-.53Zm.84 1.28L1.5 5.31v5.38l3.81 3.81h5.38l3.81-3.81V5.31L10.69 1.5ZM8 4a.75.75 0 0 1 .75.75v3.5a.75.75 0 0 1-1.5 0v-3.5A.75.75 0 0 1 8 4Zm0 8a1 1 0 1 1 0-2 1 1 0 0 1 0 2Z`,
}

// alert turns a quotation that begins with [!NOTE] or the like into an alert.
// https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts
func alert(quotation *html.Node) {
	var paragraph *html.Node
	for child := range quotation.ChildNodes() {
		if child.Type == html.ElementNode {
			paragraph = child
			break
		}
	}
	if paragraph == nil || paragraph.DataAtom != atom.P || paragraph.FirstChild == nil || paragraph.FirstChild.Type != html.TextNode {
		return
	}
	first := paragraph.FirstChild
	m := marker.FindStringSubmatch(first.Data)
	if m == nil {
		return
	}
	kind := strings.ToLower(m[1])
	title, err := html.ParseFragment(strings.NewReader(fmt.Sprintf(
		`<p class="markdown-alert-title"><svg class="octicon mr-2" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="%s"></path></svg>%s%s</p>`,
		icons[kind], m[1][:1], kind[1:])), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return
	}
	if first.Data = first.Data[len(m[0]):]; first.Data == "" {
		paragraph.RemoveChild(first)
	}
	quotation.Data, quotation.DataAtom = "div", atom.Div
	quotation.Attr = []html.Attribute{{Key: "class", Val: "markdown-alert markdown-alert-" + kind}}
	quotation.InsertBefore(title[0], quotation.FirstChild)
	if paragraph.FirstChild == nil {
		quotation.RemoveChild(paragraph)
	}
}

// diff gives lines the classes by which GitHub colours them.
func diff(code *html.Node) {
	var text strings.Builder
	for n := range code.Descendants() {
		if n.Type == html.TextNode {
			text.WriteString(n.Data)
		}
	}
	for code.FirstChild != nil {
		code.RemoveChild(code.FirstChild)
	}
	classes := map[byte]string{'+': "pl-mi1", '-': "pl-md", '!': "pl-mc", '@': "pl-mdr"}
	for line := range strings.Lines(text.String()) {
		span := &html.Node{Type: html.ElementNode, Data: "span", DataAtom: atom.Span}
		if class := classes[line[0]]; class != "" {
			span.Attr = []html.Attribute{{Key: "class", Val: class}}
		}
		span.AppendChild(&html.Node{Type: html.TextNode, Data: line})
		code.AppendChild(span)
	}
}
