package github

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

const repo = "acme/infra"

func connect(t *testing.T, url, token string, options ...Option) *Client {
	t.Helper()
	c, err := New(url, token, append([]Option{WithPace(0)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withBase replaces the network.
func withBase(base http.RoundTripper) Option { return func(s *settings) { s.base = base } }

// roundTrip is a network of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// wantError checks that an error says all of these things.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Error("no error")
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// requests is what a server was asked, one "METHOD status" each.
func requests(s *fakegithub.Server) string {
	var log []string
	for _, r := range s.Requests() {
		log = append(log, fmt.Sprint(r.Method, " ", r.Status))
	}
	return strings.Join(log, ", ")
}

func TestAWrongURLOrTokenIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, token, want string }{
		{"api.github.com", "", "not an http(s) URL"},
		{"ftp://github.example", "", "not an http(s) URL"},
		{"http://[", "", "not an http(s) URL"},
		{"https://user:hunter2@github.example", "", "no user, query or fragment"},
		{"https://github.example?access_token=hunter2", "", "no user, query or fragment"},
		{"", "hunter2\nX-Evil: 1", "characters that no token has"},
		{"", "hunter2 ", ""},
		{"", "hunter2\r\n", ""},
		{"", "", ""},
	} {
		_, err := New(c.url, c.token)
		if c.want == "" {
			if err != nil {
				t.Errorf("%q, %q: %v", c.url, c.token, err)
			}
			continue
		}
		wantError(t, err, c.want)
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error repeats a secret: %v", err)
		}
	}
}

func TestEachKindOfGitHubIsAskedAtItsOwnAddress(t *testing.T) {
	t.Parallel()
	for url, want := range map[string][2]string{
		"":                              {"https://api.github.com/", "https://api.github.com/graphql"},
		"https://api.github.com":        {"https://api.github.com/", "https://api.github.com/graphql"},
		"https://ghes.example/api/v3":   {"https://ghes.example/api/v3/", "https://ghes.example/api/graphql"},
		"https://ghes.example/api/v3/":  {"https://ghes.example/api/v3/", "https://ghes.example/api/graphql"},
		"https://api.acme.ghe.example/": {"https://api.acme.ghe.example/", "https://api.acme.ghe.example/graphql"},
	} {
		c := connect(t, url, "")
		if got := [2]string{c.api.BaseURL.String(), c.graphql.String()}; got != want {
			t.Errorf("%q: %v, want %v", url, got, want)
		}
	}
}

func TestAnEnterpriseServerIsServedToo(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	n := r.AddPullRequest(fakegithub.PullRequest{})
	c := connect(t, s.URL()+"/api/v3", s.Token())
	for _, body := range []string{"one", "two"} {
		if err := c.StickyComment(t.Context(), repo, n, "k", body); err != nil {
			t.Fatal(err)
		}
	}
	if comments := r.Comments(n); len(comments) != 1 || !strings.HasSuffix(comments[0].Body, "two") {
		t.Errorf("comments %+v", comments)
	}
}

func TestARepositoryNameCannotChangeThePath(t *testing.T) {
	t.Parallel()
	c := connect(t, "", "", withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was sent", r.URL)
		return nil, http.ErrServerClosed
	})))
	for _, name := range []string{"", "infra", "acme/", "acme/..", "acme/infra/pulls/1", "acme/infra?x=", "../user", "a cme/infra", "acme/infra#"} {
		_, err := c.PullRequest(t.Context(), name, 1)
		wantError(t, err, "not of the form owner/name")
		_, err = c.MergedPullRequests(t.Context(), name, strings.Repeat("a", 40), "main")
		wantError(t, err, "not of the form owner/name")
		for _, err := range []error{
			c.StickyComment(t.Context(), name, 1, "k", "x"),
			second(c.Issues(t.Context(), name, IssueQuery{})),
			second(c.Issue(t.Context(), name, 1)),
			second(c.CreateIssue(t.Context(), name, NewIssue{Title: "x"})),
			second(c.EditIssue(t.Context(), name, 1, IssueEdit{State: "open"})),
			c.AddLabels(t.Context(), name, 1, "x"),
			c.RemoveLabel(t.Context(), name, 1, "x"),
			c.CommentOnIssue(t.Context(), name, 1, "x"),
			second(c.Permission(t.Context(), name, "octocat")),
			second(c.OpenPullRequests(t.Context(), name)),
			second(c.Reviews(t.Context(), name, 1)),
			second(c.PullRequestFiles(t.Context(), name, 1)),
			second(c.RunApprovals(t.Context(), name, 1)),
			second(c.RunCreated(t.Context(), name, 1)),
			c.SetStatus(t.Context(), name, strings.Repeat("a", 40), Status{State: "failure"}),
			c.StartWorkflow(t.Context(), name, "plan.yml", "main", nil),
		} {
			wantError(t, err, "not of the form owner/name")
		}
		_, _, err = c.LabelledAt(t.Context(), name, 1, "x")
		wantError(t, err, "not of the form owner/name")
	}
	for _, login := range []string{"", "..", "a/b", "octocat?", "[bot]x", "a b"} {
		wantError(t, second(c.Permission(t.Context(), repo, login)), "is not a login")
		wantError(t, second(c.TeamMembers(t.Context(), "acme", login)), "by its slug")
		wantError(t, second(c.TeamMembers(t.Context(), login, "ops")), "by its slug")
	}
	for _, label := range []string{"", ".", ".."} {
		wantError(t, c.RemoveLabel(t.Context(), repo, 1, label), "no such label")
	}
	for _, commit := range []string{"", "main", "..", strings.Repeat("a", 39), strings.Repeat("a", 40) + "/pulls"} {
		_, err := c.MergedPullRequests(t.Context(), repo, commit, "main")
		wantError(t, err, "not a full commit SHA")
		_, err = c.Statuses(t.Context(), repo, commit, "x")
		wantError(t, err, "not a full commit SHA")
		wantError(t, c.SetStatus(t.Context(), repo, commit, Status{State: "failure"}), "not a full commit SHA")
	}
}

func TestTheTokenGoesToTheConfiguredHostOnly(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("another host was asked")
	}))
	defer elsewhere.Close()
	here := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusMovedPermanently))
	defer here.Close()
	_, err := connect(t, here.URL, "secret-token", WithMaxWait(0)).PullRequest(t.Context(), repo, 1)
	wantError(t, err, "redirected to another host")

	for url, want := range map[string]string{
		"https://github.test/api/v3/user": "Bearer secret-token",
		"http://github.test/api/v3/user":  "",
		"https://github.test.evil/user":   "",
		"https://github.test:444/user":    "",
	} {
		got := ""
		e := exchange{scheme: "https", host: "github.test", token: "secret-token", base: roundTrip(func(r *http.Request) (*http.Response, error) {
			got = r.Header.Get("Authorization")
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})}
		req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := e.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s: Authorization %q, want %q", url, got, want)
		}
		if resp.Request.Header.Get("Authorization") != "" {
			t.Errorf("%s: the answer's request holds the token", url)
		}
	}
}

func TestARenamedRepositoryIsReadAndNotWritten(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	r := s.Repository("acme/old")
	r.AddPullRequest(fakegithub.PullRequest{Head: "grow"})
	n := r.AddIssue(fakegithub.Issue{Body: "drift"})
	r.Rename(repo)
	c := connect(t, s.URL(), s.NewToken("github-actions[bot]", nil))
	if pr, err := c.PullRequest(t.Context(), "acme/old", 1); err != nil || pr.HeadRef != "grow" {
		t.Errorf("pull request %+v, error %v", pr, err)
	}
	if i, err := c.Issue(t.Context(), "acme/old", n); err != nil || i.Body != "drift" || i.Number != n {
		t.Errorf("issue %+v, error %v", i, err)
	}
	for name, err := range map[string]error{
		"POST":   c.StickyComment(t.Context(), "acme/old", 1, "k", "x"),
		"PATCH":  second(c.EditIssue(t.Context(), "acme/old", n, IssueEdit{State: "closed"})),
		"DELETE": c.RemoveLabel(t.Context(), "acme/old", n, "drift"),
	} {
		wantError(t, err, "a "+name+" was redirected: was the repository renamed")
		if errors.Is(err, ErrUnknownOutcome) || errors.Is(err, ErrNoIssue) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if i, _ := r.Issue(n); i.State != "open" || len(r.Comments(1)) != 0 {
		t.Errorf("written all the same: %+v", i)
	}
}

// second is a call's error.
func second[T any](_ T, err error) error { return err }
