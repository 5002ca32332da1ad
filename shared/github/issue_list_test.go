package github

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func numbers(issues []Issue) []int {
	var list []int
	for _, i := range issues {
		list = append(list, i.Number)
	}
	return list
}

func TestIssuesAreListedByLabelAndStateWithoutPullRequests(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	r.AddIssue(fakegithub.Issue{Author: bot, Labels: []string{"drift"}})
	r.AddPullRequest(fakegithub.PullRequest{})
	r.Label(2, "octocat", "drift")
	r.AddIssue(fakegithub.Issue{Labels: []string{"Drift", "prod"}})
	r.AddIssue(fakegithub.Issue{Labels: []string{"bug"}})
	closed := r.AddIssue(fakegithub.Issue{Labels: []string{"drift"}})
	r.CloseIssue(closed, "octocat")
	r.DeleteIssue(r.AddIssue(fakegithub.Issue{Labels: []string{"drift"}}))
	r.TransferIssue(r.AddIssue(fakegithub.Issue{Labels: []string{"drift"}}), s.Repository("acme/other"))
	for _, test := range []struct {
		query IssueQuery
		want  []int
	}{
		{IssueQuery{}, []int{1, 3, 4}},
		{IssueQuery{Labels: []string{"drift"}}, []int{1, 3}},
		{IssueQuery{Labels: []string{"drift", "prod"}}, []int{3}},
		{IssueQuery{Labels: []string{"drift"}, State: "closed"}, []int{5}},
		{IssueQuery{Labels: []string{"drift"}, State: "all"}, []int{1, 3, 5}},
		{IssueQuery{Labels: []string{"nothing"}}, nil},
	} {
		got, err := c.Issues(t.Context(), repo, test.query)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, numbers(got)); diff != "" {
			t.Errorf("%+v: %s", test.query, diff)
		}
	}
	got, err := c.Issues(t.Context(), repo, IssueQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if !got[0].Ours || got[1].Ours || !got[1].HasLabel("DRIFT") || got[2].HasLabel("drift") {
		t.Errorf("%+v", got)
	}
}

func TestAListTakesOneRequestForEachHundredAndOneToAskWhoWeAre(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]int{0: 1, 1: 2, 100: 2, 101: 3, 250: 4} {
		s, r, c := withIssues(t)
		for range count {
			r.AddIssue(fakegithub.Issue{})
		}
		got, err := c.Issues(t.Context(), repo, IssueQuery{})
		if err != nil || len(got) != count {
			t.Errorf("%d issues, error %v", len(got), err)
		}
		if reads, writes := s.Counts(); reads != want || writes != 0 {
			t.Errorf("%d issues: %d reads and %d writes, want %d and 0", count, reads, writes, want)
		}
	}
}

func TestWhatChangesWhileAListIsReadHidesNoOtherIssue(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	for range 150 {
		r.AddIssue(fakegithub.Issue{})
	}
	s.Fail(fakegithub.Fault{Path: "/issues", Skip: 1, Pass: true, Call: func() {
		for n := 10; n < 20; n++ {
			r.CloseIssue(n, "octocat")
		}
		r.AddIssue(fakegithub.Issue{})
	}})
	got, err := c.Issues(t.Context(), repo, IssueQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 151 {
		t.Errorf("%d issues, want the 150 that were there and the new one", len(got))
	}
}

// An Enterprise Server's links hold no cursor.
func TestAListIsReadByPageNumberWhereThereIsNoCursor(t *testing.T) {
	t.Parallel()
	pages := []string{`[{"number":1},{"number":2,"pull_request":{}}]`, `[{"number":1},{"number":3}]`}
	var asked []string
	c := connect(t, "https://ghes.example/api/v3", "", withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: r}
		body := `{"data":{"viewer":{"login":"octocat"}}}`
		if strings.HasSuffix(r.URL.Path, "/issues") {
			asked = append(asked, r.URL.RawQuery)
			body = pages[len(asked)-1]
			if len(asked) < len(pages) {
				resp.Header.Set("Link", fmt.Sprintf(`<%s&page=2>; rel="next", <x?page=2>; rel="last"`, r.URL))
			} else {
				resp.Header.Set("Link", `<x?page=1>; rel="prev", <x?page=1>; rel="first"`)
			}
		}
		resp.Body = io.NopCloser(strings.NewReader(body))
		return resp, nil
	})))
	got, err := c.Issues(t.Context(), repo, IssueQuery{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 3}, numbers(got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"direction=asc&per_page=100&sort=created", "direction=asc&page=2&per_page=100&sort=created"}, asked); diff != "" {
		t.Error(diff)
	}
}
