package report

import (
	"strings"
	"testing"
)

// hostile are texts that try to be something on GitHub, and seeds of all fuzzing.
var hostile = []string{
	"", " ", "  x  ", "plain words, nothing else.", "don't panic (at all)",
	"<!-- gitops:marker -->", "<<!-- x -->", "</details></details>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
	"```\nout of the fence\n```", "~~~\nx", "`", "``", "` `` ```", "a`b", "`x`", " ` ", "\\`", "`````````````````",
	"@octocat", "@github/everyone", "see @octocat.", "x@example.com", "mailto:x@example.com", "&#64;octocat", "\\@octocat",
	"#1", "GH-1", "gh-1", "owner/repo#1", "owner/repo@4f1c2d9a", "4f1c2d9a", "4f1c2d9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e", "defaced", "1234567",
	"https://example.com/x", "https://github.com/acme/infra/actions/runs/1>x", "[GITOPS-X]", "[GITOPS-X]: /y", "[GITOPS-X](/y)", "http://a.b", "ftp://a.b", "www.example.com", "<https://example.com>",
	"![i](https://example.com/i.png)", "[l](https://example.com)", "[^1]", "[^1]: note", "[x]: /y", "[ ] todo", "[!CAUTION]", "> [!NOTE]\n> x",
	"# heading", "heading\n===", "heading\n---", "---", "***", "* item", "- item", "+ item", "1. item", "1) item", "12.", "(3)", "\tindented", "    indented",
	":+1:", ":tada:", "$x$", "$$x$$", "a | b", "|", "\\|", "\\\\|", "a\\|b\\", "|---|", "| a |\n| - |\n| b |", "~~x~~", "**b** _i_", "~x~",
	"a\nb", "a\r\nb", "a\r", "a\x00b", "\x1b[31mred\x1b[0m", "::error::x", "\u202eevil", "\u2066x\u2069", "zero\u200bwidth", "\ufeffbom", "\u00a0", "\u2028", "\U000e0041", "v\ufe0f", "\u034f",
	"\xff\xfe", "\xc3", "a\xe2\x80", "日本語 テキスト", "naïve café", "🙂", "é́́́", "\u3164", "\\", "a\\", "&amp;", "&lt;b&gt;", "&#x60;", "{{ x }}", "${x}", "%0A",
}

func TestTextOfPlainWordsStaysAsItIs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"The plan expired, plan again.":  "The plan expired, plan again.",
		"don't (ever) do it: never!":     "don't (ever) do it: never!",
		"well-known words":               "well-known words",
		"日本語 naïve":                      "日本語 naïve",
		"took 30 seconds in 2026.":       "took 30 seconds in 2026&#46;",
		"  two\n lines ":                 "two lines",
		`variable "region" is not set`:   "variable `\"region\"` is not set",
		"ask @octocat, or see #12.":      "ask `@octocat`, or see `#12`.",
		"at https://example.com/a b.c d": "at `https://example.com/a b.c` d",
		"use it (`actions/checkout` with `ref: 4f1c2d9`), or `a  @b c`.": "use it (`actions/checkout` with `ref: 4f1c2d9`), or `a  @b c`.",
		"`a` `` @b ` c":                      "`a` ``` `` @b ` ``` c",
		"commit 4f1c2d9 and defaced, GH-12!": "commit `4f1c2d9` and `defaced`, `GH-12`!",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestRunsOfThisRepositoryAreLinks(t *testing.T) {
	t.Parallel()
	s := Subject{RunURL: "https://github.com/acme/infra/actions/runs/9/attempts/1"}
	for in, want := range map[string]string{
		"applied by https://github.com/acme/infra/actions/runs/12/attempts/2 [GITOPS-APPLIED]": `applied by [that run](https://github.com/acme/infra/actions/runs/12/attempts/2) \[GITOPS-APPLIED\]`,
		"(https://github.com/acme/infra/actions/runs/12), or":                                  `([that run](https://github.com/acme/infra/actions/runs/12)), or`,
		"in https://github.com/acme/infra/actions/runs/12.":                                    `in [that run](https://github.com/acme/infra/actions/runs/12).`,
		"in https://github.com/acme/other/actions/runs/12":                                     "in `https://github.com/acme/other/actions/runs/12`",
		"in https://evil.example/https://github.com/acme/infra/actions/runs/12":                "in `https://evil.example/https://github.com/acme/infra/actions/runs/12`",
		"in https://github.com/acme/infra/actions/runs/12](https://evil.example":               "in `https://github.com/acme/infra/actions/runs/12](https://evil.example`",
		"in https://github.com/acme/infra/actions/runs/../../../evil/actions/runs/1":           "in `https://github.com/acme/infra/actions/runs/../../../evil/actions/runs/1`",
	} {
		if got := s.text(in); got != want {
			t.Errorf("text(%q) = %s, want %s", in, got, want)
		}
		if got := (Subject{}).text(in); strings.Contains(got, "](") && !strings.Contains(in, "](") {
			t.Errorf("without an address of its own, text(%q) = %s", in, got)
		}
	}
}

func TestCodeShowsWhatCannotBeSeen(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a":                "`a`",
		"":                 "` `",
		" a ":              "`  a  `",
		"a`b":              "`` a`b ``",
		"`` `":             "``` `` ` ```",
		"a\nb\tc":          `a\nb\tc`,
		"\u202eab":         `\u202eab`,
		"\xffé\x00":        `\xffé\x00`,
		"\U000e0041":       `\U000e0041`,
		"<!-- marker -->":  `<\x21-- marker -->`,
		"x <!- <! -- <!--": `x <!- <! -- <\x21--`,
	} {
		if !strings.HasPrefix(want, "`") {
			want = "`" + want + "`"
		}
		if got := Code(in); got != want {
			t.Errorf("Code(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestFenceLanguageIsAWord(t *testing.T) {
	t.Parallel()
	if got, want := Fence("a`b\nc", "x"), "```\nx\n```\n"; got != want {
		t.Errorf("Fence = %q, want %q", got, want)
	}
}

func TestClipCutsBetweenRunes(t *testing.T) {
	t.Parallel()
	for n, want := range []string{"…", "a…", "a…", "aé…", "aé…", "aé…", "aé…", "aé🙂"} {
		if got := clip("aé🙂", n); got != want {
			t.Errorf("clip(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestOnlyAPlainWebAddressIsLinked(t *testing.T) {
	t.Parallel()
	for address, linked := range map[string]bool{
		"https://github.com/acme/infra/actions/runs/1?x=1&y=%20": true, "http://ghe.local:8080/a": true,
		"": false, "javascript:alert": false, "data:text/html,x": false, "//github.com/x": false, "https:x": false,
		"https://x/a)b": false, "https://x/a b": false, "https://x/\"onclick": false, "https://x/`": false, "https://x/é": false, "https://x/<b>": false, "https://x/|": false,
		"https://x/" + strings.Repeat("a", 1000): false,
	} {
		md := Link("the run", address)
		if got := strings.HasPrefix(md, "[the run]("); got != linked {
			t.Errorf("Link(%q) = %q", address, md)
		}
		check(t, md)
	}
}

func FuzzCode(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seen := string(appendVisible(nil, s, inline))
		if seen == "" {
			seen = " "
		}
		p := check(t, "before "+Code(s)+" after\n")
		if len(p.code) != 1 || p.code[0] != unescapeHTML.Replace(seen) || strings.Join(p.prose, "") != "before  after" {
			t.Errorf("Code(%q) = %s: reads as code %q in text %q", s, Code(s), p.code, p.prose)
		}
		p = check(t, "| a | b |\n| - | - |\n| "+Cell(s)+" | end |\n")
		if len(p.rows) != 1 || len(p.rows[0]) != 2 || p.rows[0][0] != seen || p.rows[0][1] != "end" {
			t.Errorf("Cell(%q) = %s: reads as %q", s, Cell(s), p.rows)
		}
		p = check(t, "<details><summary>"+element(s)+"</summary>\n\nx\n\n</details>\n")
		if got := strings.Join(p.code, ""); got != string(appendVisible(nil, s, inline)) {
			t.Errorf("element(%q) = %s: reads as %q", s, element(s), got)
		}
	})
}

func FuzzFence(f *testing.F) {
	for _, s := range hostile {
		f.Add("text", s)
	}
	f.Fuzz(func(t *testing.T, lang, s string) {
		want := string(appendVisible(nil, s, block))
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		p := check(t, "before\n\n"+Fence(lang, s)+"\nafter\n")
		if got := strings.Join(p.code, ""); len(p.code) != 1 || got != unescapeHTML.Replace(want) || strings.Join(p.prose, " ") != "before after" {
			t.Errorf("Fence(%q) = %s reads as %q in %q", s, Fence(lang, s), p.code, p.prose)
		}
	})
}

func FuzzText(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
		f.Add("words " + s + " and " + s + ".")
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if strings.Contains(got, "\n") {
			t.Errorf("Text(%q) = %q: more than one line", s, got)
		}
		for _, md := range []string{got + "\n", "> - " + got + "\n", "**x** " + got + "\n"} {
			p := check(t, md)
			if len(p.links)+len(p.headings)+len(p.rows) > 0 {
				t.Errorf("Text(%q) = %q: links %q, headings %q, rows %q", s, got, p.links, p.headings, p.rows)
			}
		}
	})
}
