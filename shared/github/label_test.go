package github

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gogithub "github.com/google/go-github/v84/github"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func TestLabelsAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	n := r.AddIssue(fakegithub.Issue{Labels: []string{"Drift"}})
	odd := []string{"a/b c", "100%", "#1?x=&", "é🚀", "a+b", "drift"}
	if err := c.AddLabels(t.Context(), repo, n, odd...); err != nil {
		t.Fatal(err)
	}
	if err := c.AddLabels(t.Context(), repo, n); err != nil {
		t.Fatal(err)
	}
	i, _ := r.Issue(n)
	if diff := cmp.Diff(append([]string{"Drift"}, odd[:5]...), i.Labels); diff != "" {
		t.Error(diff)
	}
	for _, label := range append(odd, "drift", "never there") {
		if err := c.RemoveLabel(t.Context(), repo, n, label); err != nil {
			t.Error(err)
		}
	}
	if i, _ := r.Issue(n); len(i.Labels) != 0 {
		t.Errorf("labels left: %q", i.Labels)
	}
	if _, writes := s.Counts(); writes != 9 {
		t.Errorf("%d writes, want 9", writes)
	}
	enterprise := connect(t, s.URL()+"/api/v3", s.NewToken(bot, nil))
	r.Label(n, "octocat", "a/b c")
	if err := enterprise.RemoveLabel(t.Context(), repo, n, "a/b c"); err != nil {
		t.Error(err)
	}
	if i, _ := r.Issue(n); len(i.Labels) != 0 {
		t.Errorf("labels left: %q", i.Labels)
	}
}

func TestWhoLabelledLastIsFoundOnTheNewestPage(t *testing.T) {
	t.Parallel()
	s, r, c := withIssues(t)
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s.SetClock(func() time.Time { now = now.Add(time.Second); return now })
	n := r.AddIssue(fakegithub.Issue{})
	check := func(what string, at time.Time, by string, reads int) {
		t.Helper()
		before, _ := s.Counts()
		gotAt, gotBy, err := c.LabelledAt(t.Context(), repo, n, "Apply")
		if err != nil || !gotAt.Equal(at) || gotBy != by {
			t.Errorf("%s: %s by %q, error %v; want %s by %q", what, gotAt, gotBy, err, at, by)
		}
		if after, _ := s.Counts(); after-before != reads {
			t.Errorf("%s: %d reads, want %d", what, after-before, reads)
		}
	}
	check("never labelled", time.Time{}, "", 1)
	last := func() time.Time { e := r.Events(n); return e[len(e)-1].At }
	r.Label(n, "octocat", "apply")
	first := last()
	r.Label(n, "mallory", "applying")
	check("once", first, "octocat", 1)
	r.Unlabel(n, "hubot", "apply")
	check("not there any more", first, "octocat", 1)
	r.Label(n, "hubot", "apply")
	second := last()
	check("twice", second, "hubot", 1)
	for range 120 {
		r.Unlabel(n, "mallory", "applying")
		r.Label(n, "mallory", "applying")
	}
	check("long ago", second, "hubot", 3)
	r.Unlabel(n, "octocat", "apply")
	r.Label(n, "octocat", "apply")
	check("again", last(), "octocat", 2)
	r.CloseIssue(n, "octocat")
	r.ReopenIssue(n, "octocat")
	check("and closed and reopened since", r.Events(n)[len(r.Events(n))-3].At, "octocat", 2)
}

// The order of a page is not relied on; of two in one second the later one counts.
func TestTheNewestLabelledEventCountsNotTheLastInTheList(t *testing.T) {
	t.Parallel()
	event := func(actor string, second int) *gogithub.IssueEvent {
		kind, name := "labeled", "apply"
		at := gogithub.Timestamp{Time: time.Unix(int64(second), 0)}
		return &gogithub.IssueEvent{Event: &kind, Label: &gogithub.Label{Name: &name}, Actor: &gogithub.User{Login: &actor}, CreatedAt: &at}
	}
	_, by, _ := newestLabelled([]*gogithub.IssueEvent{event("a", 5), event("b", 9), event("c", 9), event("d", 7)}, "apply")
	if by != "c" {
		t.Errorf("by %q", by)
	}
}
