// Package github makes the few calls to GitHub that this project needs: about pull requests
// and the commits that they were merged as, their files and reviews, a comment on each that is
// kept up to date, commit statuses, who approved the environments of a run, starting a workflow,
// drift issues, and permissions.
//
// It is a thin layer over go-github, which adds:
//
//   - a call waits for GitHub's primary and secondary rate limits, up to a limit;
//   - writes are paced;
//   - a read that failed on GitHub's side is tried again, but never a write
//     (ErrUnknownOutcome);
//   - each request has a timeout;
//   - the token is sent only to the configured host;
//   - an error says what could not be done, why, and which permission is missing.
package github

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	gogithub "github.com/google/go-github/v84/github"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// defaultURL is the API of github.com.
const defaultURL = "https://api.github.com"

// userAgent names this project to GitHub, which refuses requests without one:
// https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent
const userAgent = "terraform-gitops"

// defaultMaxWait is enough for two of the usual secondary limits of one minute. A primary
// limit can last an hour, and a job that waits for an hour costs more than one that fails and
// is run again.
const defaultMaxWait = 3 * time.Minute

// Client talks to one GitHub with one token. It may be used by several
// goroutines at once, which then share its rate limits.
type Client struct {
	api     *gogithub.Client
	graphql *url.URL
	token   string

	mu      sync.Mutex
	viewer  string              // the login of the token's account, once asked
	refused map[string][]string // logins that GitHub did not accept as assignees, by repository
}

// Option changes how a Client behaves.
type Option func(*settings)

type settings struct {
	maxWait time.Duration
	pace    time.Duration
	onWait  func(string)
	base    http.RoundTripper
}

// WithMaxWait limits how long the Client waits in all, over its whole life, for rate limits
// and between tries; 3 minutes by default. If a rate limit lasts longer, the call fails at
// once, with an error that says when the rate limit ends.
func WithMaxWait(d time.Duration) Option { return func(s *settings) { s.maxWait = d } }

// WithWaitNotice calls notice with one line before each wait, so that a job's log shows why
// nothing happens.
func WithWaitNotice(notice func(string)) Option { return func(s *settings) { s.onWait = notice } }

// WithPace sets the pause between two writes; one second by default, as GitHub asks of those
// who write much. WithMaxWait does not count it.
func WithPace(d time.Duration) Option { return func(s *settings) { s.pace = d } }

// New makes a client for the GitHub whose API is at apiURL, the value of GITHUB_API_URL: of
// github.com (also if it is empty), of a GitHub Enterprise Server (https://HOST/api/v3) or
// of GHE.com. The token is optional, since public repositories can be read without one. The
// proxy is the one in the environment, as the runner sets it.
//
// Nothing is sent yet. An error says what is wrong with the URL or the token, without
// repeating either.
func New(apiURL, token string, options ...Option) (*Client, error) {
	s := settings{maxWait: defaultMaxWait, pace: defaultPace, onWait: func(string) {}, base: http.DefaultTransport}
	for _, option := range options {
		option(&s)
	}
	base, err := parseURL(apiURL)
	if err != nil {
		return nil, err
	}
	token = strings.TrimSpace(token) // secrets are often pasted with a newline
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, problem.With(problem.GitHubPermission, errors.New("connect to GitHub: the token has characters that no token has (spaces, control or non-ASCII characters): check the secret that it comes from"))
	}
	api := gogithub.NewClient(&http.Client{
		Transport:     newPatience(newPace(&exchange{base: s.base, scheme: base.Scheme, host: base.Host, token: token}, s.pace), s),
		CheckRedirect: checkRedirect,
	})
	api.BaseURL = base
	api.UserAgent = userAgent
	// patience waits. go-github's own check would fail at once, without asking GitHub.
	api.DisableRateLimitCheck = true
	return &Client{api: api, graphql: graphqlURL(base), token: token, refused: map[string][]string{}}, nil
}

func parseURL(apiURL string) (*url.URL, error) {
	if apiURL == "" {
		apiURL = defaultURL
	}
	u, err := url.Parse(apiURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, problem.With(problem.Runner, errors.New("connect to GitHub: the API URL is not an http(s) URL such as "+defaultURL+" or https://HOST/api/v3: check GITHUB_API_URL"))
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, problem.With(problem.Runner, errors.New("connect to GitHub: the API URL must hold no user, query or fragment: check GITHUB_API_URL"))
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" // go-github resolves paths relative to it
	return u, nil
}

// graphqlURL is where the same GitHub answers GraphQL: beside /api/v3 on an
// Enterprise Server, under the API's root elsewhere.
// https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql#the-graphql-endpoint
func graphqlURL(base *url.URL) *url.URL {
	u := *base
	if root, ok := strings.CutSuffix(u.Path, "/api/v3/"); ok {
		u.Path = root + "/api/graphql"
	} else {
		u.Path += "graphql"
	}
	return &u
}

// errRedirected is in the error of a write that was redirected, and so not done.
var errRedirected = errors.New("was redirected: was the repository renamed, or the issue transferred?")

// checkRedirect follows the redirects of reads, which GitHub sends for a renamed repository or
// a transferred issue. It refuses those of writes: Go would repeat the write as a GET or,
// after a 307, in another repository.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case first.Method != http.MethodGet:
		return fmt.Errorf("a %s %w", first.Method, errRedirected)
	case len(via) >= 5:
		return errors.New("stopped after 5 redirects")
	case req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme:
		return errors.New("redirected to another host: check GITHUB_API_URL")
	}
	return nil
}

var repositoryName = regexp.MustCompile(`^([A-Za-z0-9_-]+)/([A-Za-z0-9_.-]+)$`)

// splitRepository splits owner/name, and refuses names that would change the request's path.
func splitRepository(repo string) (owner, name string, err error) {
	m := repositoryName.FindStringSubmatch(repo)
	if m == nil || m[2] == "." || m[2] == ".." {
		return "", "", fmt.Errorf("repository %q is not of the form owner/name", repo)
	}
	return m[1], m[2], nil
}
