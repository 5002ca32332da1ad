package github

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/github/githubtest"
)

func TestARefusalSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s, _ := commented(t)
	read := s.NewToken("github-actions[bot]", githubtest.Permissions{"pull_requests": "read"})
	none := s.NewToken("github-actions[bot]", githubtest.Permissions{})
	ask := func(c *Client) error { _, err := c.PullRequest(t.Context(), repo, 1); return err }
	askOther := func(c *Client) error { _, err := c.PullRequest(t.Context(), "acme/other", 1); return err }
	list := func(c *Client) error {
		_, err := c.MergedPullRequests(t.Context(), repo, landed, "main")
		return err
	}
	comment := func(c *Client) error { return c.StickyComment(t.Context(), repo, 1, "k", "x") }
	for name, c := range map[string]struct {
		token string
		call  func(*Client) error
		want  []string
	}{
		"reading without permission": {none, ask, []string{"read pull request #1 of acme/infra", "403 Forbidden", "the token needs `pull-requests: read`", "`permissions:`"}},
		"listing without permission": {none, list, []string{"find the pull requests merged into main of acme/infra", "`pull-requests: read`"}},
		"commenting, only reading":   {read, comment, []string{"comment on pull request #1 of acme/infra", "`issues: write` or `pull-requests: write`", "fork"}},
		"no such repository":         {read, askOther, []string{"404 Not Found", "may not see it", "`pull-requests: read` and `contents: read`"}},
		"private, no token":          {"", ask, []string{"404", "no token was given"}},
		"a wrong token":              {"ghs_expired", ask, []string{"401 Unauthorized (Bad credentials)", "wrong, expired or revoked"}},
	} {
		err := c.call(connect(t, s.URL(), c.token))
		wantError(t, err, c.want...)
		if err != nil && c.token != "" && strings.Contains(err.Error(), c.token) {
			t.Errorf("%s: the error holds the token", name)
		}
	}
}

func TestAPublicRepositoryNeedsNoToken(t *testing.T) {
	t.Parallel()
	s, r := commented(t)
	r.MakePublic()
	c := connect(t, s.URL(), "")
	if _, err := c.PullRequest(t.Context(), repo, 1); err != nil {
		t.Error(err)
	}
	wantError(t, c.StickyComment(t.Context(), repo, 1, "k", "x"), "401", "no token was given")
}

func TestAnErrorNeverHoldsTheTokenAndStaysOneShortLine(t *testing.T) {
	t.Parallel()
	const token = "ghs_verysecret"
	for _, status := range []int{400, 401, 403, 404, 422, 500} {
		body := `{"message":"you sent ` + token + `\n::error::` + strings.Repeat("long ", 1000) + `","errors":[{"message":"` + token + `"}]}`
		c := connect(t, "", token, WithMaxWait(0), withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") != "Bearer "+token {
				t.Error("the token was not sent")
			}
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})))
		_, err := c.PullRequest(t.Context(), repo, 1)
		wantError(t, err, "read pull request #1 of acme/infra", "you sent ***")
		if text := err.Error(); strings.Contains(text, token) || strings.Contains(text, "\n") || len(text) > 700 {
			t.Errorf("status %d: %q", status, text)
		}
	}
	for name, body := range map[string]string{"no JSON": "<html>" + token, "half a JSON": `[{"number":`} {
		c := connect(t, "", token, withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})))
		_, err := c.MergedPullRequests(t.Context(), repo, landed, "main")
		wantError(t, err, "no usable answer from GitHub")
		if strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACancelledCallSaysSo(t *testing.T) {
	t.Parallel()
	s, _ := commented(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := connect(t, s.URL(), s.Token()).PullRequest(ctx, repo, 1)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
