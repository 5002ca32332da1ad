package markdown

import (
	"slices"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown/markdowntest"
)

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
		"it is late (policies/a.rego:4), see f(x) (b@2 c@3).":            "it is late (`policies/a.rego:4`), see `f(x)` (`b@2 c@3`).",
		"`a` `` @b ` c":                      "`a` ``` `` @b ` ``` c",
		"commit 4f1c2d9 and defaced, GH-12!": "commit `4f1c2d9` and `defaced`, `GH-12`!",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
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
		if got := Clip("aé🙂", n); got != want {
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
		markdowntest.Check(t, md)
	}
}

func FuzzCode(f *testing.F) {
	for _, s := range markdowntest.Hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seen := string(AppendVisible(nil, s, Inline))
		if seen == "" {
			seen = " "
		}
		p := markdowntest.Check(t, "before "+Code(s)+" after\n")
		if len(p.Code) != 1 || p.Code[0] != markdowntest.UnescapeHTML.Replace(seen) || strings.Join(p.Prose, "") != "before  after" {
			t.Errorf("Code(%q) = %s: reads as code %q in text %q", s, Code(s), p.Code, p.Prose)
		}
		p = markdowntest.Check(t, "| a | b |\n| - | - |\n| "+Cell(s)+" | end |\n")
		if len(p.Rows) != 1 || len(p.Rows[0]) != 2 || p.Rows[0][0] != seen || p.Rows[0][1] != "end" {
			t.Errorf("Cell(%q) = %s: reads as %q", s, Cell(s), p.Rows)
		}
		p = markdowntest.Check(t, "<details><summary>"+Element(s)+"</summary>\n\nx\n\n</details>\n")
		if got := strings.Join(p.Code, ""); got != string(AppendVisible(nil, s, Inline)) {
			t.Errorf("element(%q) = %s: reads as %q", s, Element(s), got)
		}
	})
}

func FuzzFence(f *testing.F) {
	for _, s := range markdowntest.Hostile {
		f.Add("text", s)
	}
	f.Fuzz(func(t *testing.T, lang, s string) {
		want := string(AppendVisible(nil, s, Block))
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		p := markdowntest.Check(t, "before\n\n"+Fence(lang, s)+"\nafter\n")
		if got := strings.Join(p.Code, ""); len(p.Code) != 1 || got != markdowntest.UnescapeHTML.Replace(want) || strings.Join(p.Prose, " ") != "before after" {
			t.Errorf("Fence(%q) = %s reads as %q in %q", s, Fence(lang, s), p.Code, p.Prose)
		}
	})
}

func FuzzText(f *testing.F) {
	for _, s := range markdowntest.Hostile {
		f.Add(s)
		f.Add("words " + s + " and " + s + ".")
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if strings.Contains(got, "\n") {
			t.Errorf("Text(%q) = %q: more than one line", s, got)
		}
		for _, md := range []string{got + "\n", "> - " + got + "\n", "**x** " + got + "\n"} {
			p := markdowntest.Check(t, md)
			p.Links = slices.DeleteFunc(p.Links, func(l string) bool { return strings.HasPrefix(l, problem.Code("GITOPS-").URL()) }) // a code's explanation
			if len(p.Links)+len(p.Headings)+len(p.Rows) > 0 {
				t.Errorf("Text(%q) = %q: links %q, headings %q, rows %q", s, got, p.Links, p.Headings, p.Rows)
			}
		}
	})
}
