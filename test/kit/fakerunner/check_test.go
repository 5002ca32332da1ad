package fakerunner

import (
	"strings"
	"testing"
)

// What the stories rest on must see what it is there for.
func TestLogProblemsAreSeen(t *testing.T) {
	t.Parallel()
	const begin, end = "::group::x\n::stop-commands::TOKEN\n", "::TOKEN::\n::endgroup::\n"
	for log, want := range map[string]string{
		"":                               "",
		begin + "text\n" + end:           "",
		"::error file=a.tf,line=3::text": "",
		"::add-mask::x\n::notice::y\n::warning title=a b::c": "",
		begin + "a ::error::x\n: :error::x\n" + end:          "",
		"::set-output name=a::b":                             "takes",
		"  ::set-env name=a::b":                              "takes",
		"x\r::save-state name=a::b":                          "takes",
		begin + "::error::x\n" + end:                         "only the stop",
		begin + "x ##[error]y\n" + end:                       "##[error",
		begin + "x\n":                                        "at the end",
		begin + "::TOKEN::\n":                                "at the end",
		begin + "::TOKEN::\n::set-output name=a::b\n" + end:  "takes",
	} {
		got := strings.Join(logProblems(log, false), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("log %q: problems %q, want %q", log, got, want)
		}
	}
	if got := logProblems(begin+"x", true); got != nil {
		t.Errorf("of a step that was killed: %q", got)
	}
}

func TestPageProblemsAreSeen(t *testing.T) {
	t.Parallel()
	for markdown, want := range map[string]string{
		"## Title `@octocat #1 <b>`\n\n```\n</details>\n```\n":                 "",
		"<details><summary>x <code>@a</code></summary>\n\n- y\n\n</details>\n": "",
		"[this run](https://github.com/acme/infrastructure/actions/runs/1)":    "",
		"exit status 3&#46;":                    "",
		"<details><summary>x</summary>\n\nopen": "left open",
		"text</details>":                        "while",
		"<script>alert(1)</script>":             "script",
		"a <img src=x> b":                       "img",
		"<!-- gitops plan -->":                  "HTML",
		"ask &#64;octocat":                      "@o",
		"see #12 and 4f1c2d9a":                  "#1",
		"![x](https://example.com/x.png)":       "Image",
		"https://example.com/":                  "AutoLink",
		"<details><summary>x</summary>\n\n```\n`````\n</details>\n```\n</details>\n</details>": "while",
	} {
		got := strings.Join(pageProblems(markdown), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("page %q: problems %q, want %q", markdown, got, want)
		}
	}
}
