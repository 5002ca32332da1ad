package github

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func TestARefusalSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s, _ := commented(t)
	read := s.NewToken("github-actions[bot]", fakegithub.Permissions{"pull_requests": "read"})
	none := s.NewToken("github-actions[bot]", fakegithub.Permissions{})
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
		if code := problem.CodeOf(err); code != problem.GitHubPermission {
			t.Errorf("%s: the code is %q", name, code)
		}
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

func TestFailuresHaveTheirCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		header http.Header
		want   problem.Code
	}{
		{http.StatusBadGateway, nil, problem.GitHub},
		{http.StatusForbidden, http.Header{"Retry-After": {"3600"}}, problem.GitHubRateLimit},
		{http.StatusForbidden, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"4102444800"}}, problem.GitHubRateLimit},
	} {
		client := connect(t, "", "t", WithMaxWait(0), withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
			body := `{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`
			return &http.Response{StatusCode: c.status, Header: c.header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})))
		_, err := client.PullRequest(t.Context(), repo, 1)
		if code := problem.CodeOf(err); code != c.want {
			t.Errorf("%d %v: %v has the code %q, want %q", c.status, c.header, err, code, c.want)
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
