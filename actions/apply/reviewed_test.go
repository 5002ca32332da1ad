package main

import (
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// Whoever may plan writes any number into a record. The author of that pull request would not be the
// author of what is applied, and its reviews are about something else.
func TestThePullRequestIsNotTheRecords(t *testing.T) {
	t.Parallel()
	server := fakegithub.Start(t)
	repository := server.Repository("acme/infra")
	commit := func(digit string) string { return strings.Repeat(digit, 40) }
	open := func(head string) int {
		return repository.AddPullRequest(fakegithub.PullRequest{Author: "mona", HeadSHA: commit(head)})
	}
	own, other, unmerged := open("1"), open("3"), open("5")
	repository.Merge(other, fakegithub.MergeCommit, commit("4"))
	token := server.NewToken("ci[bot]", fakegithub.Permissions{"pull_requests": "read", "contents": "read"})
	m := &merge{
		event:  gha.Event{PullRequest: &gha.PullRequest{Number: own, Merged: true, Head: gha.Branch{SHA: commit("1")}}},
		commit: commit("2"), branch: "main",
		pulls: pulls.New(func() (*github.Client, error) { return github.New(server.URL(), token, github.WithPace(0)) }, "acme/infra"),
	}
	for name, c := range map[string]struct {
		commit string
		number int // in the record
		want   int
	}{
		"the head":                             {"1", own, own},
		"the merged commit":                    {"2", own, own},
		"the head, and another number":         {"1", other, own},
		"the merged commit, another number":    {"2", other, own},
		"another one's head":                   {"3", other, other},
		"another one's merged commit":          {"4", other, 0}, // and it changes no file of the target
		"an open one's head":                   {"5", unmerged, 0},
		"some commit, and a merged number":     {"6", other, 0},
		"some commit without a pull request":   {"6", 0, 0},
		"another one's head, without a number": {"3", 0, 0},
	} {
		got, err := m.reviewedIn(t.Context(), planstore.Record{Commit: commit(c.commit), PullRequest: c.number}, inventory.Target{})
		if err != nil || got != c.want {
			t.Errorf("%s: #%d, error %v, want #%d", name, got, err, c.want)
		}
	}
}
