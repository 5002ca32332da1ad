// Package fakegithub is a GitHub for tests: an HTTP server on this machine that keeps real
// state for the few calls this project makes, and holds both sides to GitHub's own
// OpenAPI description.
//
// A request that the description does not know, a parameter or field that is
// not in it, and an answer of the server itself that does not fit it, are reported: they
// fail the test. So code that works here sends what GitHub documents, and reads what
// GitHub documents it answers.
//
// Processes use it too: GITHUB_API_URL is URL, GITHUB_TOKEN is Token.
//
// What people do is a method of Repository: AddIssue, Label, CloseIssue, Merge. What
// GitHub itself does wrong is a Fault.
//
//	gh := fakegithub.Start(t)
//	repo := gh.Repository("acme/infra")
//	n := repo.AddPullRequest(fakegithub.PullRequest{Head: "grow", HeadSHA: head, Base: "main"})
//	repo.Merge(n, fakegithub.Squash, landed)
//
// The description is read from test/npm/node_modules above the working folder. NewUnchecked
// needs none.
package fakegithub

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Server is a GitHub that starts without repositories. Its methods may be called at any time,
// by several goroutines.
type Server struct {
	description *openapi3.T // nil: nothing is held to it
	report      func(format string, args ...any)
	mux         *http.ServeMux
	listener    *httptest.Server
	serving     sync.RWMutex // read-locked while a request is served

	mu           sync.Mutex
	repositories map[string]*Repository // by name in lower case
	renamed      map[string]*Repository // by what it was called before, in lower case
	teams        map[string][]string    // logins by organization/slug in lower case
	clock        func() time.Time
	accounts     map[string]account // by token
	token        string
	faults       []*Fault
	requests     []Request
	lastID       int64 // of anything made
}

// Request is a request with the status of its answer.
type Request struct {
	Method, Path, Query string
	Status              int // 0: the connection was cut
}

// Write reports whether the request was meant to change something. GraphQL requests only read.
func (r Request) Write() bool {
	return r.Method != http.MethodGet && !strings.HasSuffix(r.Path, "/graphql")
}

// Start makes a server that runs as long as the test. The test fails if a request or an answer
// does not fit GitHub's description.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s, err := New(tb.Errorf)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// New makes a server that calls report, from any goroutine, if something does not fit GitHub's
// description. Close it after use.
func New(report func(format string, args ...any)) (*Server, error) {
	d, err := loadDescription()
	if err != nil {
		return nil, err
	}
	return newServerOf(d, report), nil
}

// NewUnchecked makes a server for the demo. It does not check requests and answers against
// GitHub's description, and does not need that. It calls report for calls that it does not know.
// Close it after use.
func NewUnchecked(report func(format string, args ...any)) *Server {
	return newServerOf(nil, report)
}

func newServerOf(d *openapi3.T, report func(format string, args ...any)) *Server {
	s := &Server{
		description:  d,
		report:       report,
		mux:          http.NewServeMux(),
		repositories: map[string]*Repository{},
		renamed:      map[string]*Repository{},
		teams:        map[string][]string{},
		clock:        time.Now,
		accounts:     map[string]account{},
	}
	for _, op := range operations {
		s.mux.Handle(op.method+" "+op.path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, op) }))
	}
	s.mux.HandleFunc("POST /graphql", s.serveGraphQL)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.report("fakegithub: %s %s is not served: not a call of GitHub's API, or one to add to operations", r.Method, r.URL)
		s.write(w, failure(http.StatusNotFound, "Not Found"))
	})
	s.token = s.NewToken("github-actions[bot]", Permissions{"contents": "read", "pull_requests": "write"})
	s.listener = httptest.NewServer(s)
	return s
}

// SetClock sets GitHub's clock; without it, the clock is time.Now. GitHub's times are in whole
// seconds.
func (s *Server) SetClock(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = now
}

// now is GitHub's time; s.mu is held.
func (s *Server) now() time.Time { return s.clock() }

// Close stops the server after it has answered the requests that have begun.
func (s *Server) Close() { s.listener.Close() }

// URL is the value for GITHUB_API_URL. With /api/v3 at its end, the server answers like an
// Enterprise Server.
func (s *Server) URL() string { return s.listener.URL }

// Requests lists the requests so far, in the order in which they were answered.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Counts is how many requests so far were reads, and how many were writes, with refused ones.
func (s *Server) Counts() (reads, writes int) {
	for _, r := range s.Requests() {
		if r.Write() {
			writes++
		} else {
			reads++
		}
	}
	return reads, writes
}

// Settle waits until no request is being served. A request goes on after its client has left.
func (s *Server) Settle() {
	s.serving.Lock()
	defer s.serving.Unlock()
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.serving.RLock()
	defer s.serving.RUnlock()
	path := r.URL.Path
	recorded := &recorder{ResponseWriter: w}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, Request{Method: r.Method, Path: path, Query: r.URL.RawQuery, Status: recorded.status})
	}()
	if rest, enterprise := strings.CutPrefix(path, "/api"); enterprise {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = strings.TrimPrefix(rest, "/v3"), strings.TrimPrefix(strings.TrimPrefix(r.URL.RawPath, "/api"), "/v3")
	}
	fault := s.fault(r)
	r = s.byID(r)
	if fault == nil {
		s.mux.ServeHTTP(recorded, r)
		return
	}
	defer func() { _, _ = io.Copy(io.Discard, r.Body) }() // as any server reads what it refuses
	if fault.Call != nil {
		fault.Call()
	}
	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done(): // the client has left; the request still has its effect
		}
	}
	if fault.Pass {
		s.mux.ServeHTTP(recorded, r)
		return
	}
	if fault.Done {
		s.mux.ServeHTTP(httptest.NewRecorder(), r)
	}
	if fault.Status == 0 {
		panic(http.ErrAbortHandler) // cuts the connection, without a log line
	}
	s.write(recorded, fault.answer())
}

// RoundTrip implements http.RoundTripper: the server without a network, for tests with
// testing/synctest, whose clock stops while something waits for a socket.
func (s *Server) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler: // a fault
			resp, err = nil, errors.New("connection cut")
		default:
			panic(cause)
		}
	}()
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp = recorder.Result()
	resp.Request = r
	return resp, nil
}

// serve answers one call of the description.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, op operation) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.Header().Set("X-Accepted-GitHub-Permissions", op.accepted())
	var a answer
	if err := s.checkRequest(r, op, body); err != nil {
		s.report("fakegithub: %s %s does not fit GitHub's description: %v", r.Method, r.URL, err)
		a = failure(http.StatusBadRequest, "Problems parsing JSON")
	} else {
		s.mu.Lock()
		a = s.allowed(r, op)
		if a.status == 0 {
			a = op.serve(s, call{Request: r, body: body, account: s.accountOf(r)})
		}
		s.mu.Unlock()
	}
	a = s.conditional(r, a)
	if err := s.checkAnswer(r, op, s.write(w, a)); err != nil {
		s.report("fakegithub: the answer to %s %s does not fit GitHub's description, a bug of this package: %v", r.Method, r.URL, err)
	}
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// id makes a new ID; s.mu is held.
func (s *Server) id() int64 {
	s.lastID++
	return 1_000_000_000 + s.lastID
}

// timestamp is a time in GitHub's form.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// link is an address in the API or, with html, the address of a page.
func (s *Server) link(html bool, format string, args ...any) string {
	root := "https://api.github.com"
	if html {
		root = "https://github.com"
	}
	return root + fmt.Sprintf(format, args...)
}
