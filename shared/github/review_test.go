package github

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func TestReviewsAreListedAsTheyAreNow(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.SetClock(func() time.Time { return at })
	r := s.Repository(repo)
	n := r.AddPullRequest(fakegithub.PullRequest{HeadSHA: head})
	dismissed := r.Review(n, fakegithub.Review{User: "alice", Body: "go"})
	lost := r.Review(n, fakegithub.Review{User: "renovate[bot]"})
	r.Push(n, landed)
	last := r.Review(n, fakegithub.Review{User: "bob", State: "CHANGES_REQUESTED"})
	r.DismissReview(n, dismissed)
	r.LoseReviewedCommit(n, lost)
	r.Merge(n, fakegithub.Squash)
	after := r.Review(n, fakegithub.Review{User: "bob", Body: "override"})

	got, err := connect(t, s.URL(), s.Token()).Reviews(t.Context(), repo, n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i].Node == "" {
			t.Errorf("%+v has no node", got[i])
		}
		got[i].Node = ""
	}
	want := []Review{
		{ID: dismissed, User: "alice", State: "DISMISSED", Commit: head, At: at, Body: "go"},
		{ID: lost, User: "renovate[bot]", Bot: true, State: "APPROVED", At: at},
		{ID: last, User: "bob", State: "CHANGES_REQUESTED", Commit: landed, At: at},
		{ID: after, User: "bob", State: "APPROVED", Commit: landed, At: at, Body: "override"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhoEditedAReview(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	n := r.AddPullRequest(fakegithub.PullRequest{})
	edits := []string{"alice", "mallory", "-", ""} // the third is not edited, and the last one's editor is gone
	for i := range 120 {
		id := r.Review(n, fakegithub.Review{User: fmt.Sprint("user-", i)})
		if i < len(edits) && edits[i] != "-" {
			r.EditReview(n, id, edits[i], "override")
		}
	}
	c := connect(t, s.URL(), s.Token())
	reviews, err := c.Reviews(t.Context(), repo, n)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for _, review := range reviews {
		nodes = append(nodes, review.Node)
	}
	got, err := c.ReviewEditors(t.Context(), nodes)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{nodes[0]: "alice", nodes[1]: "mallory", nodes[3]: "an account that is gone"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := requests(s); got != "GET 200, GET 200, POST 200, POST 200" {
		t.Errorf("requests %s", got)
	}
	wantError(t, second(c.ReviewEditors(t.Context(), []string{"PRR_1"})), "find out who edited reviews", "Could not resolve to a node")
	if got, err := c.ReviewEditors(t.Context(), nil); err != nil || len(got) > 0 {
		t.Errorf("%v, error %v", got, err)
	}
}

func TestReviewsAndFilesAreListedToTheLastPage(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]int{0: 1, 100: 1, 101: 2, 250: 3, 2999: 30} {
		s := fakegithub.Start(t)
		r := s.Repository(repo)
		n := r.AddPullRequest(fakegithub.PullRequest{})
		var files []fakegithub.File
		for i := range count {
			files = append(files, fakegithub.File{Path: fmt.Sprint("f", i)})
			if count < 300 {
				r.Review(n, fakegithub.Review{User: fmt.Sprint("user-", i)})
			}
		}
		r.ChangeFiles(n, files...)
		c := connect(t, s.URL(), s.Token())
		listed, err := c.PullRequestFiles(t.Context(), repo, n)
		if err != nil || len(listed) != count {
			t.Errorf("%d files: %d, error %v", count, len(listed), err)
		}
		if reads, _ := s.Counts(); reads != want {
			t.Errorf("%d files: %d requests, want %d", count, reads, want)
		}
		if count >= 300 {
			continue
		}
		reviews, err := c.Reviews(t.Context(), repo, n)
		if err != nil || len(reviews) != count || count > 0 && reviews[count-1].User != fmt.Sprint("user-", count-1) {
			t.Errorf("%d reviews: %d, error %v", count, len(reviews), err)
		}
		if reads, _ := s.Counts(); reads != 2*want {
			t.Errorf("%d reviews: %d requests in all, want %d", count, reads, 2*want)
		}
	}
}

func TestARenamedFileHasBothPaths(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	n := r.AddPullRequest(fakegithub.PullRequest{})
	r.ChangeFiles(n, fakegithub.File{Path: "b.tf", Previous: "a.tf"}, fakegithub.File{Path: "c.tf", Status: "added"})
	got, err := connect(t, s.URL(), s.Token()).PullRequestFiles(t.Context(), repo, n)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ChangedFile{{Path: "b.tf", Previous: "a.tf", Status: "renamed"}, {Path: "c.tf", Status: "added"}}, got); diff != "" {
		t.Error(diff)
	}
}

// GitHub lists the first 3,000 files, as if there were no more.
func TestMoreFilesThanGitHubListsAreAnError(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	n := r.AddPullRequest(fakegithub.PullRequest{})
	r.ChangeFiles(n, make([]fakegithub.File, 3001)...)
	files, err := connect(t, s.URL(), s.Token()).PullRequestFiles(t.Context(), repo, n)
	if len(files) > 0 {
		t.Errorf("%d files", len(files))
	}
	wantError(t, err, "list the files of pull request #1", "3000 files or more", "GitHub lists no more")
}

func TestWhoApprovedTheEnvironmentsOfARun(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.SetClock(func() time.Time { return at })
	r := s.Repository(repo)
	r.AddRun(7)
	r.AddRun(8)
	r.AnswerRun(8, fakegithub.RunApproval{User: "alice", Environments: []string{"dev", "production"}, Comment: "Ship it!"})
	r.AnswerRun(8, fakegithub.RunApproval{User: "gate[bot]", State: "rejected", Environments: []string{"dev"}})
	c := connect(t, s.URL(), s.NewToken("github-actions[bot]", fakegithub.Permissions{"actions": "read"}))
	got, err := c.RunApprovals(t.Context(), repo, 8)
	if err != nil {
		t.Fatal(err)
	}
	want := []RunApproval{
		{User: "alice", State: "approved", Comment: "Ship it!", Environments: []string{"dev", "production"}},
		{User: "gate[bot]", Bot: true, State: "rejected", Environments: []string{"dev"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := c.RunApprovals(t.Context(), repo, 7); err != nil || len(got) > 0 {
		t.Errorf("%+v, error %v", got, err)
	}
	if got, err := c.RunCreated(t.Context(), repo, 8); err != nil || !got.Equal(at) {
		t.Errorf("created %s, error %v", got, err)
	}
}

func TestAMissingPermissionToSeeApprovalsIsNamed(t *testing.T) {
	t.Parallel()
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	n := r.AddPullRequest(fakegithub.PullRequest{})
	r.AddRun(8)
	c := connect(t, s.URL(), s.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "read"}))
	for want, err := range map[string]error{
		"list the reviews of pull request #1: pull-requests: read": second(c.Reviews(t.Context(), repo, n)),
		"list the files of pull request #1: pull-requests: read":   second(c.PullRequestFiles(t.Context(), repo, n)),
		"list who approved the environments: actions: read":        second(c.RunApprovals(t.Context(), repo, 8)),
		"read run 8: actions: read":                                second(c.RunCreated(t.Context(), repo, 8)),
	} {
		doing, permission, _ := strings.Cut(want, ": ")
		wantError(t, err, doing, "`"+permission+"`")
		if !errors.Is(err, ErrPermission) {
			t.Errorf("%v", err)
		}
	}
}
