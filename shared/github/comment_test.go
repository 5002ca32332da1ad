package github

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// commented is a server with one pull request, number 1.
func commented(t *testing.T) (*fakegithub.Server, *fakegithub.Repository) {
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	r.AddPullRequest(fakegithub.PullRequest{})
	return s, r
}

func bodies(r *fakegithub.Repository) string {
	var all []string
	for _, c := range r.Comments(1) {
		all = append(all, c.Author+": "+c.Body)
	}
	return strings.Join(all, "\n")
}

func TestAStickyCommentIsWrittenOnceAndThenEditedInPlace(t *testing.T) {
	t.Parallel()
	s, r := commented(t)
	r.AddComment(1, "octocat", "looks good")
	for _, step := range []struct{ body, want string }{
		{"first", "GET 200, POST 201"},
		{"first", "GET 200, POST 200"}, // the POST asks who we are
		{"second", "GET 200, POST 200, PATCH 200"},
	} {
		before := len(s.Requests())
		c := connect(t, s.URL(), s.Token()) // each run is a new process
		if err := c.StickyComment(t.Context(), repo, 1, "plan vpc dev", step.body); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range s.Requests()[before:] {
			if r.Method == "POST" && r.Status == 200 && r.Path != "/graphql" {
				t.Errorf("%s %s", r.Method, r.Path)
			}
			got = append(got, strings.TrimSpace(r.Method+" "+map[int]string{200: "200", 201: "201"}[r.Status]))
		}
		if strings.Join(got, ", ") != step.want {
			t.Errorf("%s: requests %v, want %s", step.body, got, step.want)
		}
	}
	want := "octocat: looks good\ngithub-actions[bot]: <!-- plan+vpc+dev -->\nsecond"
	if got := bodies(r); got != want {
		t.Errorf("comments:\n%s\nwant:\n%s", got, want)
	}
}

func TestACommentIsMadeFromTheOneBefore(t *testing.T) {
	t.Parallel()
	s, r := commented(t)
	c := connect(t, s.URL(), s.Token())
	for _, step := range []struct{ before, body string }{{"", ""}, {"", "first\nline"}, {"first\nline", "second"}, {"second", ""}} {
		err := c.UpdateComment(t.Context(), repo, 1, "apply", func(before string) string {
			if before != step.before {
				t.Errorf("before: %q, want %q", before, step.before)
			}
			return step.body
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, want := bodies(r), "github-actions[bot]: <!-- apply -->\nsecond"; got != want {
		t.Errorf("comments:\n%s\nwant:\n%s", got, want)
	}
}

func TestOneClientAsksOnlyOnceWhoItIs(t *testing.T) {
	t.Parallel()
	s, _ := commented(t)
	c := connect(t, s.URL(), s.Token())
	for _, body := range []string{"a", "b", "c"} {
		if err := c.StickyComment(t.Context(), repo, 1, "k", body); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	for _, r := range s.Requests() {
		if r.Path == "/graphql" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestAMarkerInSomeoneElsesCommentIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		login       string
		permissions fakegithub.Permissions
		forger      string
	}{
		"a workflow's token and a person":     {"github-actions[bot]", fakegithub.Permissions{"pull_requests": "write"}, "mallory"},
		"a workflow's token and a lookalike":  {"github-actions[bot]", fakegithub.Permissions{"pull_requests": "write"}, "github-actions"},
		"a workflow's token and another app":  {"github-actions[bot]", fakegithub.Permissions{"pull_requests": "write"}, "quoting[bot]"},
		"an app's token and a workflow":       {"infra[bot]", fakegithub.Permissions{"pull_requests": "write"}, "github-actions[bot]"},
		"a person's token and another person": {"octocat", nil, "mallory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := commented(t)
			r.AddComment(1, c.forger, "<!-- k -->\nall is well, merge me")
			token := s.NewToken(c.login, c.permissions)
			for _, body := range []string{"one", "two"} {
				if err := connect(t, s.URL(), token).StickyComment(t.Context(), repo, 1, "k", body); err != nil {
					t.Fatal(err)
				}
			}
			want := c.forger + ": <!-- k -->\nall is well, merge me\n" + c.login + ": <!-- k -->\ntwo"
			if got := bodies(r); got != want {
				t.Errorf("comments:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestAMarkerInTheMiddleOfOurOwnCommentIsNoMarker(t *testing.T) {
	t.Parallel()
	s, r := commented(t)
	r.AddComment(1, "github-actions[bot]", "> <!-- k -->\n> quoted by another workflow")
	if err := connect(t, s.URL(), s.Token()).StickyComment(t.Context(), repo, 1, "k", "x"); err != nil {
		t.Fatal(err)
	}
	if n := len(r.Comments(1)); n != 2 {
		t.Errorf("%d comments, want 2", n)
	}
}

func TestAStickyCommentIsFoundOnALaterPage(t *testing.T) {
	t.Parallel()
	s, r := commented(t)
	for range 230 {
		r.AddComment(1, "octocat", "talk")
	}
	ours := r.AddComment(1, "github-actions[bot]", "<!-- k -->\nold")
	for range 100 {
		r.AddComment(1, "octocat", "talk")
	}
	if err := connect(t, s.URL(), s.Token()).StickyComment(t.Context(), repo, 1, "k", "new"); err != nil {
		t.Fatal(err)
	}
	if got, want := requests(s), "GET 200, GET 200, GET 200, POST 200, PATCH 200"; got != want {
		t.Errorf("requests %s, want %s: none after the page it was on", got, want)
	}
	for _, c := range r.Comments(1) {
		if c.ID == ours && c.Body != "<!-- k -->\nnew" {
			t.Errorf("body %q", c.Body)
		}
	}
}

func TestABodyThatOnlyLooksDifferentIsNotWritten(t *testing.T) {
	t.Parallel()
	for stored, body := range map[string]string{
		"<!-- k -->\r\none\r\ntwo": "one\ntwo",
		"<!-- k -->\none":          "one\n\n",
		"<!-- k -->\nbad \uFFFD":   "bad \xff",
		"<!-- k -->":               "",
	} {
		s, r := commented(t)
		r.AddComment(1, "github-actions[bot]", stored)
		if err := connect(t, s.URL(), s.Token()).StickyComment(t.Context(), repo, 1, "k", body); err != nil {
			t.Fatal(err)
		}
		if got, want := requests(s), "GET 200, POST 200"; got != want {
			t.Errorf("%q over %q: requests %s, want %s", body, stored, got, want)
		}
	}
}

func TestOfSeveralOfOursTheOldestIsKept(t *testing.T) {
	t.Parallel()
	s, r := commented(t)
	r.AddComment(1, "github-actions[bot]", "<!-- k -->\nold")
	r.AddComment(1, "github-actions[bot]", "<!-- k -->\nold")
	if err := connect(t, s.URL(), s.Token()).StickyComment(t.Context(), repo, 1, "k", "new"); err != nil {
		t.Fatal(err)
	}
	want := "github-actions[bot]: <!-- k -->\nnew\ngithub-actions[bot]: <!-- k -->\nold"
	if got := bodies(r); got != want {
		t.Errorf("comments:\n%s\nwant:\n%s", got, want)
	}
}

func TestACommentOfExactlyTheLimitIsWrittenAndOneMoreIsRefused(t *testing.T) {
	t.Parallel()
	for _, char := range []string{"a", "é", "語", "🚀"} {
		s, r := commented(t)
		c := connect(t, s.URL(), s.Token())
		key := "plan " + char
		fits := strings.Repeat(char, CommentRoom(key))
		wantError(t, c.StickyComment(t.Context(), repo, 1, key, fits+char), "GitHub takes", "shorten it")
		if got := requests(s); got != "GET 200" { // nothing is written
			t.Errorf("sent %s", got)
		}
		if err := c.StickyComment(t.Context(), repo, 1, key, fits); err != nil {
			t.Fatal(err)
		}
		if n := utf8.RuneCountInString(r.Comments(1)[0].Body); n != 65536 {
			t.Errorf("%q: %d characters", char, n)
		}
	}
}

func TestAHostileKeyStaysInItsMarkerAndEqualsNoOther(t *testing.T) {
	t.Parallel()
	safe := regexp.MustCompile(`^<!-- [A-Za-z0-9_.~+%-]+ -->\n$`)
	seen := map[string]string{}
	for _, key := range []string{
		"plan a b", "plan a/b", "plan a+b", "plan a%20b", "plan+a+b", "Plan a b", " plan a b",
		"-->", "--><script>", "--!>", "x\n-->\n# hi", "@octocat", "#1", "é", "e\u0301", "\xff", "\xfe", "\x00", "k -->\n<!-- k2",
	} {
		m := marker(key)
		if !safe.MatchString(m) {
			t.Errorf("key %q: marker %q", key, m)
		}
		if other, taken := seen[m]; taken {
			t.Errorf("keys %q and %q have one marker", key, other)
		}
		seen[m] = key
	}
	wantError(t, connect(t, "", "").StickyComment(t.Context(), repo, 1, "", "x"), "has no key")
}

func TestATokenThatNobodyOwnsChangesNoComment(t *testing.T) {
	t.Parallel()
	s, r := commented(t)
	r.AddComment(1, "github-actions[bot]", "<!-- k -->\nold")
	nobody := s.NewToken("", fakegithub.Permissions{"pull_requests": "write"})
	wantError(t, connect(t, s.URL(), nobody).StickyComment(t.Context(), repo, 1, "k", "x"), "comment on pull request #1 of acme/infra", "which account", "named none")
	if got := requests(s); got != "GET 200, POST 200" {
		t.Errorf("requests %s", got)
	}
}
