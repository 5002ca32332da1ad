package fakegithub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

// reported collects what a server reports.
type reported struct {
	mu    sync.Mutex
	lines []string
}

func (r *reported) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func newServer(t *testing.T) (*Server, *reported) {
	t.Helper()
	var r reported
	s, err := New(r.add)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, &r
}

func send(t *testing.T, s *Server, token, method, path, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(answer)
}

func TestARequestOutsideOfGitHubsDescriptionIsReported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ method, path, body, want string }{
		"a path that is not served":       {"GET", "/repos/acme/infra/branches", "", "is not served"},
		"a method that is not served":     {"DELETE", "/repos/acme/infra/issues/comments/1", "", "is not served"},
		"a number that is none":           {"GET", "/repos/acme/infra/pulls/one", "", "pull_number"},
		"a query parameter with a typo":   {"GET", "/repos/acme/infra/issues/1/comments?perpage=100", "", `"perpage" is not described`},
		"a query parameter of wrong type": {"GET", "/repos/acme/infra/issues/1/comments?per_page=all", "", "per_page"},
		"a missing field":                 {"POST", "/repos/acme/infra/issues/1/comments", `{}`, `"body" is missing`},
		"a field of wrong type":           {"POST", "/repos/acme/infra/issues/1/comments", `{"body":1}`, "body"},
		"a field that is not described":   {"POST", "/repos/acme/infra/issues/1/comments", `{"body":"x","boddy":"y"}`, `"boddy" is not described`},
		"no body":                         {"POST", "/repos/acme/infra/issues/1/comments", "", "body"},
		"another GraphQL query":           {"POST", "/graphql", `{"query":"query { viewer { email } }"}`, "is not served"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := newServer(t)
			s.Repository("acme/infra").AddPullRequest(PullRequest{})
			resp, _ := send(t, s, s.Token(), c.method, c.path, c.body)
			if resp.StatusCode < 400 {
				t.Errorf("answered %s", resp.Status)
			}
			if len(r.lines) != 1 || !strings.Contains(r.lines[0], c.want) {
				t.Errorf("reported %q, want one line with %q", r.lines, c.want)
			}
		})
	}
}

func TestAnAnswerThatDoesNotFitTheDescriptionIsReported(t *testing.T) {
	t.Parallel()
	s, r := newServer(t)
	s.Repository("acme/infra")
	for name, c := range map[string]struct {
		answer answer
		want   string
	}{
		"a field is missing":        {answer{status: 200, body: object{"id": 1}}, "is missing"},
		"the status is unknown":     {answer{status: 202, body: object{}}, "status 202 is not described"},
		"an error of unusual shape": {answer{status: 418, body: object{"message": 1}}, "message"},
	} {
		op := operations[1]
		op.serve = func(*Server, call) answer { return c.answer }
		mux := http.NewServeMux()
		mux.HandleFunc(op.method+" "+op.path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, op) })
		before := len(r.lines)
		req, _ := http.NewRequest("GET", "http://x/repos/acme/infra/pulls/1", nil)
		req.Header.Set("Authorization", "Bearer "+s.Token())
		req.Body = http.NoBody
		mux.ServeHTTP(discard{http.Header{}}, req)
		if len(r.lines) != before+1 || !strings.Contains(r.lines[before], c.want) {
			t.Errorf("%s: reported %q, want one line with %q", name, r.lines[before:], c.want)
		}
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

func TestWhoMaySeeAndDoWhat(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Repository("acme/infra").AddPullRequest(PullRequest{})
	open := s.Repository("acme/open")
	open.MakePublic()
	open.AddPullRequest(PullRequest{})
	reader := s.NewToken("reader", Permissions{"pull_requests": "read"})
	nobody := s.NewToken("nobody[bot]", Permissions{"contents": "write"})
	person := s.NewToken("octocat", nil)
	for _, c := range []struct {
		token, method, path string
		want                int
	}{
		{s.Token(), "GET", "/repos/acme/infra/pulls/1", 200},
		{s.Token(), "GET", "/repos/ACME/Infra/pulls/1", 200},
		{s.Token(), "GET", "/repos/acme/infra/pulls/2", 404},
		{s.Token(), "GET", "/repos/acme/other/pulls/1", 404},
		{s.Token(), "POST", "/repos/acme/infra/issues/1/comments", 201},
		{person, "POST", "/repos/acme/infra/issues/1/comments", 201},
		{reader, "GET", "/repos/acme/infra/issues/1/comments", 200},
		{reader, "POST", "/repos/acme/infra/issues/1/comments", 403},
		{nobody, "GET", "/repos/acme/infra/pulls/1", 403},
		{nobody, "GET", "/repos/acme/open/pulls/1", 200},
		{"", "GET", "/repos/acme/infra/pulls/1", 404},
		{"", "GET", "/repos/acme/open/pulls/1", 200},
		{"", "POST", "/repos/acme/open/issues/1/comments", 401},
		{"", "POST", "/repos/acme/infra/issues/1/comments", 404},
		{"wrong", "GET", "/repos/acme/open/pulls/1", 401},
	} {
		body := ""
		if c.method == "POST" {
			body = `{"body":"hello"}`
		}
		resp, _ := send(t, s, c.token, c.method, c.path, body)
		if resp.StatusCode != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, resp.StatusCode, c.want)
		}
		if got := resp.Header.Get("X-Accepted-GitHub-Permissions"); c.want == 403 && c.method == "POST" && got != "issues=write; pull_requests=write" {
			t.Errorf("accepted permissions %q", got)
		}
	}
}

func TestCommentsArePagedWithLinks(t *testing.T) {
	t.Parallel()
	s := Start(t)
	repo := s.Repository("acme/infra")
	n := repo.AddPullRequest(PullRequest{})
	for i := range 5 {
		repo.AddComment(n, "octocat", fmt.Sprint(i))
	}
	for query, want := range map[string]struct {
		bodies string
		rels   string
	}{
		"":                      {"0 1 2 3 4", ""},
		"?per_page=2":           {"0 1", "next last"},
		"?per_page=2&page=2":    {"2 3", "prev first next last"},
		"?per_page=2&page=3":    {"4", "prev first"},
		"?per_page=2&page=9999": {"", "prev first"},
	} {
		resp, body := send(t, s, s.Token(), "GET", "/repos/acme/infra/issues/1/comments"+query, "")
		var list []struct{ Body string }
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		var bodies, rels []string
		for _, c := range list {
			bodies = append(bodies, c.Body)
		}
		for _, link := range strings.Split(resp.Header.Get("Link"), ", ") {
			if _, rel, ok := strings.Cut(link, `rel="`); ok {
				rels = append(rels, strings.Trim(rel, `"`))
			}
		}
		if got := strings.Join(bodies, " "); got != want.bodies {
			t.Errorf("%q: comments %q, want %q", query, got, want.bodies)
		}
		if got := strings.Join(rels, " "); got != want.rels {
			t.Errorf("%q: links %q, want %q", query, got, want.rels)
		}
	}
}

func TestFaultsStrikeWhatTheyNameAsOftenAsTheySay(t *testing.T) {
	t.Parallel()
	s := Start(t)
	repo := s.Repository("acme/infra")
	repo.AddPullRequest(PullRequest{})
	s.Fail(Fault{Method: "POST", Path: "/comments", Times: 2, Status: 502, Message: "Bad Gateway", Done: true})
	const path = "/repos/acme/infra/issues/1/comments"
	var got []int
	for _, method := range []string{"GET", "POST", "POST", "POST"} {
		body := ""
		if method == "POST" {
			body = `{"body":"hello"}`
		}
		resp, _ := send(t, s, s.Token(), method, path, body)
		got = append(got, resp.StatusCode)
	}
	if want := "[200 502 502 201]"; fmt.Sprint(got) != want {
		t.Errorf("answers %v, want %s", got, want)
	}
	if n := len(repo.Comments(1)); n != 3 {
		t.Errorf("%d comments, want 3: two were written and not told", n)
	}
	var log []string
	for _, r := range s.Requests() {
		log = append(log, fmt.Sprint(r.Method, " ", r.Status))
	}
	if want := "GET 200,POST 502,POST 502,POST 201"; strings.Join(log, ",") != want {
		t.Errorf("log %v, want %s", log, want)
	}
}

// The whole would take seconds to read, in each test's process.
func TestOfTheDescriptionOnlyWhatIsServedIsKept(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../" + descriptionPath)
	if err != nil {
		t.Fatal(err)
	}
	d, err := readDescription(data)
	if err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		t.Fatal(err)
	}
	found := members(members(members(data)["components"])["schemas"])
	same := func(a, b json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(a), bytes.TrimSpace(b)) }
	if !maps.EqualFunc(found, whole.Components.Schemas, same) {
		t.Error("the schemas are others than encoding/json finds")
	}
	if kept, of := len(d.Components.Schemas), len(whole.Components.Schemas); kept == 0 || kept > of/4 {
		t.Errorf("%d of %d schemas are kept", kept, of)
	}
}

func TestADescriptionThatLostACallIsAnError(t *testing.T) {
	t.Parallel()
	_, err := readDescription([]byte(`{"openapi":"3.0.3","info":{},"paths":{},"components":{}}`))
	if err == nil || !strings.Contains(err.Error(), "no path /repos/{owner}/{repo}/pulls/{pull_number}") {
		t.Errorf("error %v", err)
	}
}
