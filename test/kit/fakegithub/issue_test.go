package fakegithub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// asBot is a workflow's token that may write issues.
func asBot(s *Server) string {
	return s.NewToken("github-actions[bot]", Permissions{"issues": "write"})
}

func TestWhoMaySeeAndDoWhatWithIssues(t *testing.T) {
	t.Parallel()
	s := Start(t)
	r := s.Repository("acme/infra")
	r.AddIssue(Issue{})
	r.AddPullRequest(PullRequest{})
	s.AddTeam("acme", "ops", "octocat")
	reader := s.NewToken("reader[bot]", Permissions{"issues": "read"})
	members := s.NewToken("members[bot]", Permissions{"members": "read"})
	for _, c := range []struct {
		token, method, path, body string
		want                      int
	}{
		{asBot(s), "GET", "/repos/acme/infra/issues", "", 200},
		{asBot(s), "POST", "/repos/acme/infra/issues", `{"title":"x"}`, 201},
		{asBot(s), "POST", "/repos/acme/infra/issues", `{"title":" "}`, 422},
		{asBot(s), "POST", "/repos/acme/infra/issues", `{"title":"` + strings.Repeat("x", 257) + `"}`, 422},
		{asBot(s), "PATCH", "/repos/acme/infra/issues/1", `{"body":"` + strings.Repeat("x", 65537) + `"}`, 422},
		{asBot(s), "POST", "/repos/acme/infra/issues", `{"title":"x","assignees":["nobody"]}`, 422},
		{asBot(s), "PATCH", "/repos/acme/infra/issues/1", `{"state":"closed","state_reason":"not_planned"}`, 200},
		{reader, "GET", "/repos/acme/infra/issues/1", "", 200},
		{reader, "PATCH", "/repos/acme/infra/issues/1", `{"state":"open"}`, 403},
		{reader, "POST", "/repos/acme/infra/issues", `{"title":"x"}`, 403},
		{s.Token(), "GET", "/repos/acme/infra/issues/1", "", 403}, // pull requests only
		{s.Token(), "POST", "/repos/acme/infra/issues/1/comments", `{"body":"x"}`, 403},
		{s.Token(), "GET", "/repos/acme/infra/issues/2", "", 200},
		{s.Token(), "POST", "/repos/acme/infra/issues/2/labels", `{"labels":["x"]}`, 200},
		{s.Token(), "DELETE", "/repos/acme/infra/issues/2/labels/y", "", 404},
		{reader, "GET", "/repos/acme/infra/collaborators/octocat/permission", "", 200},
		{reader, "GET", "/orgs/acme/teams/ops/members", "", 403},
		{members, "GET", "/orgs/acme/teams/ops/members", "", 200},
		{members, "GET", "/orgs/acme/teams/dev/members", "", 404},
		{"", "GET", "/orgs/acme/teams/ops/members", "", 403},
		{"wrong", "GET", "/orgs/acme/teams/ops/members", "", 401},
		{"", "GET", "/repos/acme/infra/issues/1", "", 404},
	} {
		if resp, _ := send(t, s, c.token, c.method, c.path, c.body); resp.StatusCode != c.want {
			t.Errorf("%s %s %.40s: %d, want %d", c.method, c.path, c.body, resp.StatusCode, c.want)
		}
	}
}

func TestAnIssuesHistoryTellsWhoDidWhatWhen(t *testing.T) {
	t.Parallel()
	s := Start(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.SetClock(func() time.Time { return at })
	r := s.Repository("acme/infra")
	n := r.AddIssue(Issue{Labels: []string{"drift"}})
	for _, act := range []func(){
		func() { r.Label(n, "octocat", "apply") },
		func() { r.Label(n, "octocat", "Apply") }, // has it
		func() { r.CloseIssue(n, "octocat") },
		func() { r.CloseIssue(n, "mallory") }, // is closed
		func() {
			send(t, s, asBot(s), "PATCH", "/repos/acme/infra/issues/1", `{"labels":["drift","failed"],"state":"open"}`)
		},
		func() { r.Unlabel(n, "hubot", "failed") },
	} {
		at = at.Add(time.Minute)
		act()
	}
	_, body := send(t, s, asBot(s), "GET", "/repos/acme/infra/issues/1/events", "")
	var events []struct {
		Event     string
		Actor     struct{ Login string }
		Label     struct{ Name string }
		CreatedAt time.Time `json:"created_at"`
	}
	if err := json.Unmarshal([]byte(body), &events); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, strings.TrimSpace(fmt.Sprint(e.CreatedAt.Format("04"), " ", e.Actor.Login, " ", e.Event, " ", e.Label.Name)))
	}
	want := "04 octocat labeled drift, 05 octocat labeled apply, 07 octocat closed, " +
		"09 github-actions[bot] unlabeled apply, 09 github-actions[bot] labeled failed, 09 github-actions[bot] reopened, 10 hubot unlabeled failed"
	if strings.Join(got, ", ") != want {
		t.Errorf("events %s\nwant   %s", strings.Join(got, ", "), want)
	}
	if i, _ := r.Issue(n); !i.Updated.Equal(at) || i.State != "open" || i.StateReason != "reopened" || !i.Closed.IsZero() {
		t.Errorf("%+v", i)
	}
}

func TestIssuesAreListedFromCursorToCursor(t *testing.T) {
	t.Parallel()
	s := Start(t)
	r := s.Repository("acme/infra")
	for range 7 {
		r.AddIssue(Issue{})
	}
	list := func(query string) (numbers []int, next string) {
		t.Helper()
		resp, body := send(t, s, asBot(s), "GET", "/repos/acme/infra/issues"+query, "")
		var issues []struct{ Number int }
		if err := json.Unmarshal([]byte(body), &issues); err != nil {
			t.Fatal(err)
		}
		for _, i := range issues {
			numbers = append(numbers, i.Number)
		}
		if _, link, ok := strings.Cut(resp.Header.Get("Link"), "?"); ok {
			next, _, _ = strings.Cut("?"+link, ">")
		}
		return numbers, next
	}
	for query, want := range map[string]string{
		"?per_page=3":                "[7 6 5] [4 3 1] []",
		"?per_page=3&direction=desc": "[7 6 5] [4 3 1] []",
		"?per_page=3&direction=asc":  "[1 2 3] [4 5 6] [7]",
	} {
		first, next := list(query)
		r.CloseIssue(2, "octocat") // which moves no other issue over the cursor
		second, next := list(next)
		var third []int
		if next != "" {
			third, _ = list(next)
		}
		if got := fmt.Sprint(first, " ", second, " ", third); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
		r.ReopenIssue(2, "octocat")
	}
	if numbers, next := list("?page=3&per_page=3"); fmt.Sprint(numbers) != "[1]" || next != "" {
		t.Errorf("%v, next %q", numbers, next)
	}
	if resp, _ := send(t, s, asBot(s), "GET", "/repos/acme/infra/issues?page=100", ""); resp.StatusCode != 422 {
		t.Errorf("a page far away without a cursor: %s", resp.Status)
	}
}

func TestWhatIsNotServedIsReported(t *testing.T) {
	t.Parallel()
	s, r := newServer(t)
	repo := s.Repository("acme/infra")
	repo.AddIssue(Issue{})
	repo.DeleteIssue(1)
	for want, act := range map[string]func(){
		`sort=updated`:           func() { send(t, s, asBot(s), "GET", "/repos/acme/infra/issues?sort=updated", "") },
		`parameter "creator"`:    func() { send(t, s, asBot(s), "GET", "/repos/acme/infra/issues?creator=octocat", "") },
		`"after" is not`:         func() { send(t, s, asBot(s), "GET", "/repos/acme/infra/issues/1/events?after=x", "") },
		"no issue #1 to close":   func() { repo.CloseIssue(1, "octocat") },
		"no issue #2 to label":   func() { repo.Label(2, "octocat", "x") },
		"not a role":             func() { repo.SetPermission("octocat", "owner") },
		"field \"label\" is not": func() { send(t, s, asBot(s), "POST", "/repos/acme/infra/issues/1/labels", `{"label":["x"]}`) },
		"request body":           func() { send(t, s, asBot(s), "POST", "/repos/acme/infra/issues/1/labels", `["x"]`) },
	} {
		before := len(r.lines)
		act()
		if len(r.lines) != before+1 || !strings.Contains(r.lines[before], want) {
			t.Errorf("reported %q, want one line with %q", r.lines[before:], want)
		}
	}
}

func TestATransferredIssueIsRedirectedAndADeletedOneIsGone(t *testing.T) {
	t.Parallel()
	s := Start(t)
	r, other := s.Repository("acme/infra"), s.Repository("acme/other")
	other.AddIssue(Issue{Labels: []string{"drift"}})
	n := r.AddIssue(Issue{Title: "moved", Labels: []string{"drift", "only here"}})
	r.AddComment(n, "octocat", "hello")
	r.DeleteIssue(r.AddIssue(Issue{}))
	if there := r.TransferIssue(n, other); there != 2 {
		t.Errorf("number %d there", there)
	}
	for path, want := range map[string]int{"/1": 200, "/1/comments": 404, "/1/events": 404, "/2": 410, "/2/events": 410, "/2/comments": 410} {
		if resp, body := send(t, s, s.NewToken("octocat", nil), "GET", "/repos/acme/infra/issues"+path, ""); resp.StatusCode != want ||
			want == 200 && !strings.Contains(body, `"title":"moved"`) {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if i, ok := other.Issue(2); !ok || i.Title != "moved" || fmt.Sprint(i.Labels) != "[drift]" || len(other.Comments(2)) != 1 {
		t.Errorf("%+v", i)
	}
	if _, ok := r.Issue(n); ok || len(r.Issues()) != 0 {
		t.Error("still here")
	}
}

func TestWhoHasAnAnswerAlreadyIsToldSo(t *testing.T) {
	t.Parallel()
	s := Start(t)
	r := s.Repository("acme/infra")
	n := r.AddIssue(Issue{})
	ask := func(tag string) (int, string, int64) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/repos/acme/infra/issues", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+asBot(s))
		req.Header.Set("If-None-Match", tag)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Etag"), resp.ContentLength
	}
	status, tag, _ := ask("")
	if status != 200 || tag == "" {
		t.Errorf("%d, tag %q", status, tag)
	}
	if status, _, length := ask(tag); status != 304 || length > 0 {
		t.Errorf("%d with %d bytes, want 304 without a body", status, length)
	}
	r.EditIssue(n, "", "changed")
	if status, changed, _ := ask(tag); status != 200 || changed == tag {
		t.Errorf("%d, the same tag: %t", status, changed == tag)
	}
}

func TestAFaultMayBeSlowLateOrOnlyAMoment(t *testing.T) {
	t.Parallel()
	s := Start(t)
	r := s.Repository("acme/infra")
	n := r.AddIssue(Issue{})
	called := 0
	s.Fail(Fault{Writes: true, Skip: 1, Pass: true, Delay: time.Millisecond, Call: func() { called++; r.Label(n, "octocat", "meanwhile") }})
	s.Fail(Fault{Writes: true, Skip: 2, Status: 502, Done: true})
	var got []int
	for _, request := range []string{"GET", "PATCH", "GET", "PATCH", "PATCH", "PATCH", "PATCH"} {
		body := ""
		if request == "PATCH" {
			body = fmt.Sprintf(`{"body":"%d"}`, len(got))
		}
		resp, _ := send(t, s, asBot(s), request, "/repos/acme/infra/issues/1", body)
		got = append(got, resp.StatusCode)
		if i, _ := r.Issue(n); request == "PATCH" && i.Body != fmt.Sprint(len(got)-1) {
			t.Errorf("request %d was not done", len(got))
		}
	}
	if want := "[200 200 200 200 200 502 200]"; fmt.Sprint(got) != want {
		t.Errorf("answers %v, want %s", got, want)
	}
	if i, _ := r.Issue(n); called != 1 || fmt.Sprint(i.Labels) != "[meanwhile]" {
		t.Errorf("called %d times, %+v", called, i)
	}
	if reads, writes := s.Counts(); reads != 2 || writes != 5 {
		t.Errorf("%d reads, %d writes", reads, writes)
	}
}
