package main

import (
	"strings"
	"testing"
)

func TestMarkdownIsShownAsOnGitHub(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, markdown string
		has, hasNot    []string
	}{
		{"an alert", "> [!CAUTION]\n> **gone**\n>\n> - `x`", []string{`<div class="markdown-alert markdown-alert-caution">`, "Caution</p>", "<strong>gone</strong>", "<li><code>x</code></li>"}, []string{"[!", "<blockquote>"}},
		{"an alert's marker alone in its paragraph", "> [!NOTE]\n>\n> text", []string{"markdown-alert-note", "<p>text</p>"}, []string{"[!", "<p></p>"}},
		{"a quotation", "> [!NOTHING]\n> x", []string{"<blockquote>", "[!NOTHING]"}, []string{"markdown-alert"}},
		{"an alert with text behind its marker", "> [!NOTE] x", []string{"<blockquote>"}, []string{"markdown-alert"}},
		{"details", "<details><summary><code>a</code></summary>\n\n**b**\n\n</details>\n\nc", []string{"<details><summary><code>a</code></summary>", "<strong>b</strong>", "</details>"}, nil},
		{"a diff", "```diff\n+ a\n- <b>\n! c\n  d\n```", []string{`<span class="pl-mi1">+ a`, `<span class="pl-md">- &lt;b&gt;`, `<span class="pl-mc">! c`, "<span>  d"}, nil},
		{"a table", "| a | b |\n| :-- | --: |\n| `x` | 1 |", []string{`<td align="right">1</td>`, "<code>x</code>"}, nil},
		{"a link to a run", "[r](https://github.com/acme/infrastructure/actions/runs/1002/attempts/1)", []string{`href="#run-1002"`}, nil},
		{"a link to an issue", "[i](https://github.com/acme/infrastructure/issues/1)", []string{`href="#issue-1"`}, nil},
		{"a link to elsewhere", "[d](https://example.com/docs)", []string{`href="https://example.com/docs"`}, nil},
		{"a hidden comment", "<!-- gitops-drift x -->\n\nb", []string{"<p>b</p>"}, []string{"gitops-drift"}},
		{"what runs", "<script>evil()</script><img src=x onerror=evil()><a href=\"javascript:evil()\">a</a><details ontoggle=evil()>b</details><svg onload=evil()><style>evil</style>", []string{"a", "b"},
			[]string{"evil", "<script", "<img", "<svg", "<style"}},
		{"what loads", "![p](https://example.com/p.png) <iframe src=https://example.com></iframe><link rel=stylesheet href=https://example.com>", nil, []string{"example.com", "<img", "<iframe", "<link"}},
		{"what looks like GitHub's own", "<div class=\"markdown-alert\" id=step-1 style=\"position:fixed\">x</div>", []string{"x"}, []string{"class=", "id=", "style="}},
		{"what closes what is around it", "</div></section></main><p>x", []string{"<p>x"}, []string{"</main>", "</section>"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			html, err := render(test.markdown)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range test.has {
				if !strings.Contains(string(html), text) {
					t.Errorf("no %s in\n%s", text, html)
				}
			}
			for _, text := range test.hasNot {
				if strings.Contains(string(html), text) {
					t.Errorf("%s in\n%s", text, html)
				}
			}
		})
	}
}
