package render

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The other tests rely on these checks, so they must find what they are for.
func TestWhatEscapesIsSeen(t *testing.T) {
	t.Parallel()
	const link = "https://example.com/evil_1"
	cases := map[string]string{ // a text, and what is seen
		"plain words, `@octocat #1 <img src=x> evil_1`":      "",
		"> [!NOTE]\n> words":                                 "",
		"| a |\n| -: |\n| `x` |":                             "",
		"```diff\n+ </details> @octocat\n```":                "",
		"<details><summary>x</summary>\n\n- y\n\n</details>": "",
		"<script>evil_1()</script>":                          "not ours: <script>",
		"<img src=x onerror=evil_1()>":                       `not ours: <img src="x" onerror="evil_1()">`,
		"![x](http://localhost:1/evil_1.png)":                "not ours: <img",
		"<style>* { display: none }</style>":                 "not ours: <style>",
		"<details open ontoggle=evil_1()>x</details>":        `not ours: ontoggle="evil_1()"`,
		"<sub style='font-size: 99em'>x</sub>":               "not ours: style=",
		"<div class=markdown-alert>x</div>":                  "not ours: <div",
		"<details><summary>x</summary>\n\nopen":              "where it belongs",
		"<table><tr><td>\n\nopen":                            "where it belongs",
		"```\nopen":                                          "where it belongs",
		"ask &#64;octocat":                                   `"@o"`,
		"see #12":                                            `"#1"`,
		"see \\#12":                                          `"#1"`,
		"see GH-12":                                          `"GH-1"`,
		"commit 4f1c2d9":                                     `"4f1c2d9"`,
		"done :tada:":                                        `":tada:"`,
		"as $x$":                                             `"$"`,
		"a\u202eb":                                           "makes something of",
		"<font color=red>x</font>":                           "taken away",
		"# evil_1":                                           "not ours: <h1>",
		"## evil_1":                                          "not in code",
		"~~x~~":                                              "not ours: <del>",
		"- [ ] x":                                            "not ours: <input",
		"x[^1]\n\n[^1]: y":                                   "not ours: <sup>",
		"[x](" + link + ")":                                  "link " + link,
		link:                                                 "link " + link,
		"www.example.com/evil_1":                             "link http://www.example.com/evil_1",
		"[x](javascript:evil_1())":                           "link javascript:evil_1()",
		"a <!-- gitops-drift --> b":                          "comment gitops-drift",
	}
	texts := map[string]string{}
	for text := range cases {
		texts[text] = text
	}
	v, err := look(t.Context(), root(t), texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range v.Articles {
		got := strings.Join(s.Problems, "\n")
		for _, l := range s.Links {
			got += "\nlink " + l
		}
		for _, c := range s.Comments {
			got += "\ncomment " + c
		}
		if !s.Clean {
			got += "\ntaken away"
		}
		if want := cases[s.Name]; want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: saw %q, want %q", s.Name, got, want)
		}
	}
	if !slices.Contains(v.Ran, "evil_1") || !slices.Contains(v.Fetched, "http://localhost:1/evil_1.png") {
		t.Errorf("it ran %q and fetched %q", v.Ran, v.Fetched)
	}
}
