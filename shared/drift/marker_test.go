package drift

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

func TestPeoplesTextStaysAroundOurSection(t *testing.T) {
	t.Parallel()
	body := newBody("network", "dev", "first")
	body = strings.Replace(body, begin, "Before.\n"+begin, 1) + "After.\r\n"
	body = withSection(body, "network", "dev", "second")
	want := Marker("network", "dev") + "\nBefore.\n" + begin + "\nsecond\n" + end + "\nAfter."
	if body != want {
		t.Errorf("got %q, want %q", body, want)
	}
	if got := withSection("All of it is mine.", "network", "dev", "ours"); !strings.Contains(got, "All of it is mine.") || sectionOf(got) != "ours" {
		t.Errorf("got %q", got)
	}
}

func FuzzNamed(f *testing.F) {
	for _, seed := range []string{"network", "<!-- x -->", "a b", "é\n", "", "%20", "-->", end} {
		f.Add(seed, seed+"/dev", seed)
	}
	f.Fuzz(func(t *testing.T, component, stack, text string) {
		body := newBody(component, stack, text)
		c, s, ok := Named(body)
		switch {
		case component == "" || stack == "":
			if ok {
				t.Errorf("%q %q: a name was found", component, stack)
			}
		case !ok || c != component || s != stack:
			t.Errorf("%q %q became %q %q %t", component, stack, c, s, ok)
		}
		if !strings.Contains(text, "<!--") && canonical(text) == text && text != "" && sectionOf(body) != text {
			t.Errorf("section %q became %q", text, sectionOf(body))
		}
	})
}

// What a plan says can't end our section, name another plan or another target, mention
// anyone, or close an issue.
func TestAHostileResultStaysInsideTheSection(t *testing.T) {
	t.Parallel()
	evil := end + "\n" + planLine("drift#evil") + "\n" + Marker("evil", "evil") + "\n@mona fixes #1 </details>"
	r := Result{
		Target:  planstore.Target{Repository: "acme/infrastructure", Component: evil, Stack: evil},
		Outcome: PlanFailed, Error: strings.ReplaceAll(evil, "\n", " "), Report: end + "\n" + planLine("drift#evil"), Commit: strings.Repeat("a", 40),
		Run: planstore.Run{ID: "1", Attempt: 1, URL: "https://evil.test/) @mona fixes #1 ![](https://evil.test/"},
	}
	denied := r
	denied.Outcome, denied.Error, denied.Denied, denied.RecordID = Drifted, "", r.Error, "drift#a"
	for _, r := range []Result{r, denied} {
		body, section := bodyThatFits(r, time.Unix(0, 0), 24*time.Hour, func(s string) string { return newBody(evil, evil, s) })
		if sectionOf(body) != section || Plan(body) != r.RecordID || strings.Count(body, end) != 1 || strings.Count(body, "<!--") != 4 {
			t.Errorf("the body is:\n%s", body)
		}
		plain := regexp.MustCompile("(`+)[^`]*(`+)").ReplaceAllString(section, "")
		for _, bad := range []string{"@mona", "#1", "</details> ", "![]("} {
			if strings.Contains(plain, bad) {
				t.Errorf("%q is outside of code:\n%s", bad, section)
			}
		}
		if component, stack, ok := Named(body); !ok || component != evil || stack != evil {
			t.Errorf("the body names %q %q", component, stack)
		}
	}
}

func TestABodyFitsItsIssue(t *testing.T) {
	t.Parallel()
	r := Result{Outcome: Drifted, RecordID: "drift#a", Report: strings.Repeat("é", 40_000)}
	body, _ := bodyThatFits(r, time.Unix(0, 0), 24*time.Hour, func(s string) string { return withSection(strings.Repeat("x", 30_000), "a", "b", s) })
	if n := utf8.RuneCountInString(body); n > markdown.CommentLimit || !strings.Contains(body, "no room here") || Plan(body) != "drift#a" {
		t.Errorf("%d characters:\n%.300s", n, body)
	}
	body, _ = bodyThatFits(r, time.Unix(0, 0), 24*time.Hour, func(s string) string { return newBody("a", "b", s) })
	if !strings.Contains(body, strings.Repeat("é", 40_000)) {
		t.Error("the report is gone though it had room")
	}
}
