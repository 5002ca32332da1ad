// Package github makes the few calls to GitHub that this project needs: which pull
// request a commit was merged by, one comment a pull request that is kept up to
// date, a status of its head commit, the event that has it planned again, and the issues
// that tell of drift, with who may do what about them.
//
// It is a thin layer over go-github. What it adds is manners and words: GitHub's
// primary and secondary rate limits are waited for, within a bound, writes are
// paced, reads that failed on GitHub's side are tried again, a write never is
// (ErrUnknownOutcome), a call has a
// timeout, the token goes to the configured host only, and an error says what
// could not be done, why, and which permission is missing.
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

// DefaultURL is the API of github.com, used when no URL is given.
const DefaultURL = "https://api.github.com"

// userAgent names this project to GitHub, which refuses requests without one:
// https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent
const userAgent = "terraform-gitops"

// defaultMaxWait fits two of the usual one-minute secondary limits. A primary
// limit can last an hour, and a job that sits through it costs more than one
// that fails and is run again.
const defaultMaxWait = 3 * time.Minute

// Client talks to one GitHub with one token. It may be used by several
// goroutines at once, which then share its rate limits.
type Client struct {
	api     *gogithub.Client
	graphql *url.URL
	token   string

	mu      sync.Mutex
	viewer  string              // who the token is, once asked
	refused map[string][]string // by repository, whom GitHub does not let be assigned
}

// Option changes how a Client behaves.
type Option func(*settings)

type settings struct {
	maxWait time.Duration
	pace    time.Duration
	onWait  func(string)
	base    http.RoundTripper
}

// WithMaxWait bounds how long the Client waits in all, over its whole life, for
// rate limits and between tries; 3 minutes unless told. A limit that lasts longer is
// an error at once, which names the time when it ends.
func WithMaxWait(d time.Duration) Option { return func(s *settings) { s.maxWait = d } }

// WithWaitNotice has notice told, in one line, before each wait, so that a job's log
// shows why it stands still.
func WithWaitNotice(notice func(string)) Option { return func(s *settings) { s.onWait = notice } }

// WithPace sets the pause between two writes; a second unless told, as GitHub asks
// of whoever writes much. It is not counted as waiting.
func WithPace(d time.Duration) Option { return func(s *settings) { s.pace = d } }

// New makes a client of the GitHub whose API is at apiURL: what GITHUB_API_URL
// holds, on github.com, a GitHub Enterprise Server (https://HOST/api/v3) or
// GHE.com; DefaultURL when empty. The token is optional, since public repositories can be read
// without. A proxy is taken from the environment, as the runner sets it.
//
// Nothing is sent yet. An error says what is wrong with the URL or the token,
// without repeating either.
func New(apiURL, token string, options ...Option) (*Client, error) {
	s := settings{maxWait: defaultMaxWait, pace: defaultPace, onWait: func(string) {}, base: http.DefaultTransport}
	for _, option := range options {
		option(&s)
	}
	base, err := parseURL(apiURL)
	if err != nil {
		return nil, err
	}
	token = strings.TrimSpace(token) // secrets are often pasted with their newline
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, problem.With(problem.GitHubPermission, errors.New("connect to GitHub: the token has characters that no token has (spaces, control or non-ASCII characters): check the secret that it comes from"))
	}
	api := gogithub.NewClient(&http.Client{
		Transport:     newPatience(newPace(&exchange{base: s.base, scheme: base.Scheme, host: base.Host, token: token}, s.pace), s),
		CheckRedirect: checkRedirect,
	})
	api.BaseURL = base
	api.UserAgent = userAgent
	// Ours waits; go-github's own check would fail at once instead, and without asking.
	api.DisableRateLimitCheck = true
	return &Client{api: api, graphql: graphqlURL(base), token: token, refused: map[string][]string{}}, nil
}

func parseURL(apiURL string) (*url.URL, error) {
	if apiURL == "" {
		apiURL = DefaultURL
	}
	u, err := url.Parse(apiURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, problem.With(problem.Runner, errors.New("connect to GitHub: the API URL is not an http(s) URL such as "+DefaultURL+" or https://HOST/api/v3: check GITHUB_API_URL"))
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, problem.With(problem.Runner, errors.New("connect to GitHub: the API URL must hold no user, query or fragment: check GITHUB_API_URL"))
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/" // go-github resolves paths against it
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

// errRedirected is matched by the error of a write that was redirected, and so not done.
var errRedirected = errors.New("was redirected: was the repository renamed, or the issue transferred?")

// checkRedirect follows what GitHub sends for a renamed repository or a transferred
// issue when it is read. A write goes where it was addressed or nowhere: Go would repeat it as a GET
// or, after a 307, in another repository.
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

// splitRepository splits owner/name, and refuses what would change the request's path.
func splitRepository(repo string) (owner, name string, err error) {
	m := repositoryName.FindStringSubmatch(repo)
	if m == nil || m[2] == "." || m[2] == ".." {
		return "", "", fmt.Errorf("repository %q is not of the form owner/name", repo)
	}
	return m[1], m[2], nil
}
