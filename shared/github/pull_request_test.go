package github

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

var (
	head   = strings.Repeat("1a", 20)
	base   = strings.Repeat("2b", 20)
	landed = strings.Repeat("3c", 20)
	before = strings.Repeat("4d", 20)
)

func TestThePullRequestMergedAsACommitIsFoundByEachWayOfMerging(t *testing.T) {
	t.Parallel()
	for method, commits := range map[fakegithub.Method][]string{
		fakegithub.MergeCommit: {landed},
		fakegithub.Squash:      {landed},
		fakegithub.Rebase:      {before, landed},
	} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			s := fakegithub.Start(t)
			r := s.Repository(repo)
			r.AddPullRequest(fakegithub.PullRequest{Title: "stays open", HeadSHA: head})
			n := r.AddPullRequest(fakegithub.PullRequest{Title: "grow <b>", Head: "grow", HeadSHA: head, BaseSHA: base})
			r.Merge(n, method, commits...)
			c := connect(t, s.URL(), s.Token())

			got, err := c.MergedPullRequests(t.Context(), repo, landed, "main")
			if err != nil {
				t.Fatal(err)
			}
			want := PullRequest{
				Number: n, Title: "grow <b>", Author: "octocat", State: "closed",
				HeadRef: "grow", HeadSHA: head, BaseRef: "main", BaseSHA: base, Merged: true, MergeCommitSHA: landed,
			}
			if diff := cmp.Diff([]PullRequest{want}, got); diff != "" {
				t.Error(diff)
			}
			if got := requests(s); got != "GET 200" {
				t.Errorf("requests: %s, want one", got)
			}
			one, err := c.PullRequest(t.Context(), repo, n)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, one); diff != "" {
				t.Error(diff)
			}
			for _, commit := range []string{head, before} {
				if got, err := c.MergedPullRequests(t.Context(), repo, commit, "main"); err != nil || len(got) != 0 {
					t.Errorf("commit %s: %+v, %v, want none: the branch's head was never there", commit, got, err)
				}
			}
		})
	}
}

func TestOnlyPullRequestsMergedIntoTheBranchAsThisCommitCount(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	pull := func(number int, merge string, mergedAt any, ref, in string) object {
		return object{
			"number": number, "merge_commit_sha": merge, "merged_at": mergedAt,
			"base": object{"ref": ref, "repo": object{"full_name": in}},
		}
	}
	const at = "2026-01-02T03:04:05Z"
	list := []object{
		pull(1, landed, at, "main", repo),
		pull(2, landed, nil, "main", repo),            // open, or closed unmerged: a test merge
		pull(3, landed, at, "release", repo),          // a backport
		pull(4, before, at, "main", repo),             // merged as another commit
		pull(5, landed, at, "main", "upstream/infra"), // the fork's parent's
		pull(6, strings.ToUpper(landed), at, "main", strings.ToUpper(repo)),
		{"number": 7, "merged_at": at}, // fields missing
	}
	c := connect(t, "", "", withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
		if want := "/repos/acme/infra/commits/" + landed + "/pulls?per_page=100"; r.URL.RequestURI() != want {
			t.Errorf("asked %s, want %s", r.URL.RequestURI(), want)
		}
		body, err := json.Marshal(list)
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(body))), Request: r}, err
	})))
	pulls, err := c.MergedPullRequests(t.Context(), repo, landed, "main")
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, pr := range pulls {
		got = append(got, pr.Number)
	}
	if diff := cmp.Diff([]int{1, 6}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnOpenPullRequestHasNoMergeCommit(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	n := s.Repository(repo).AddPullRequest(fakegithub.PullRequest{HeadSHA: head})
	pr, err := connect(t, s.URL(), s.Token()).PullRequest(t.Context(), repo, n)
	if err != nil {
		t.Fatal(err)
	}
	if pr.Merged || pr.MergeCommitSHA != "" || pr.State != "open" || pr.HeadSHA != head {
		t.Errorf("%+v", pr)
	}
}

func TestOpenPullRequestsAreListedToTheLastPage(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]int{0: 1, 100: 1, 101: 2, 250: 3} {
		s := fakegithub.Start(t)
		r := s.Repository(repo)
		r.Merge(r.AddPullRequest(fakegithub.PullRequest{}), fakegithub.Squash)
		r.CloseIssue(r.AddPullRequest(fakegithub.PullRequest{}), "octocat")
		r.AddIssue(fakegithub.Issue{})
		for range count {
			r.AddPullRequest(fakegithub.PullRequest{HeadSHA: head})
		}
		got, err := connect(t, s.URL(), s.Token()).OpenPullRequests(t.Context(), repo)
		if err != nil || len(got) != count {
			t.Fatalf("%d pull requests, error %v", len(got), err)
		}
		for i, pr := range got {
			if pr.Number != 4+i || pr.State != "open" || pr.HeadSHA != head {
				t.Errorf("%d: %+v", i, pr)
			}
		}
		if reads, _ := s.Counts(); reads != want {
			t.Errorf("%d pull requests: %d requests, want %d", count, reads, want)
		}
	}
}

func TestAPullRequestFromAForkIsSeen(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	r.AddPullRequest(fakegithub.PullRequest{})
	r.AddPullRequest(fakegithub.PullRequest{Repository: "evil/infra"})
	open, err := connect(t, s.URL(), s.Token()).OpenPullRequests(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	if len(open) != 2 || open[0].Fork || !open[1].Fork {
		t.Errorf("%+v", open)
	}
	gone := connect(t, "", "", withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
		const body = `{"number":3,"head":{"repo":null},"base":{"repo":{"full_name":"acme/infra"}}}`
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})))
	if pr, err := gone.PullRequest(t.Context(), repo, 3); err != nil || !pr.Fork {
		t.Errorf("of a repository that is gone: %+v, %v", pr, err)
	}
}

func TestAPullRequestThatIsClosedAndReopened(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	n := r.AddPullRequest(fakegithub.PullRequest{})
	r.Label(n, "octocat", "terraform-unlock")
	r.UpdateBranch(n, head, base)
	c := connect(t, s.URL(), s.Token())
	for _, state := range []string{"closed", "open"} {
		if state == "closed" {
			r.CloseIssue(n, "octocat")
		} else {
			r.ReopenIssue(n, "octocat")
		}
		pr, err := c.PullRequest(t.Context(), repo, n)
		if err != nil {
			t.Fatal(err)
		}
		if pr.State != state || pr.Merged || pr.MergeCommitSHA != "" || pr.HeadSHA != head || pr.BaseSHA != base {
			t.Errorf("%+v, want it %s", pr, state)
		}
	}
}
