package pulls_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func (w *world) branch(name string) int {
	return w.github.AddPullRequest(fakegithub.PullRequest{Head: name, HeadSHA: commit("1"), Base: "production"})
}

var starter = fakegithub.Permissions{"actions": "write", "contents": "read", "pull_requests": "read"}

// A pull request's code must run with the identity of its own branch.
func TestAPullRequestIsPlannedAgainOnItsOwnBranch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, closed, two, main := w.branch("one"), w.branch("closed"), w.branch("fix/two"), w.branch("main")
	w.github.CloseIssue(closed, "mona")
	started, err := w.requests(starter).PlanAgain(t.Context(), []int{one, closed, two, main}, "plan.yml", "main")
	if err != nil || !slices.Equal(started, []int{one, two}) {
		t.Errorf("started %v: %v", started, err)
	}
	input := func(n int) map[string]string { return map[string]string{"pull-request": fmt.Sprint(n)} }
	if diff := cmp.Diff([]fakegithub.Dispatch{
		{Workflow: "plan.yml", Ref: "refs/heads/one", Inputs: input(one), Sender: "github-actions[bot]"},
		{Workflow: "plan.yml", Ref: "refs/heads/fix/two", Inputs: input(two), Sender: "github-actions[bot]"},
	}, w.github.Dispatches()); diff != "" {
		t.Error(diff)
	}
}

func TestOnePullRequestThatCannotBePlannedAgainDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.branch("one")
	started, err := w.requests(starter).PlanAgain(t.Context(), []int{99, one}, "plan.yml", "main")
	if err == nil || !slices.Equal(started, []int{one}) {
		t.Errorf("started %v: %v", started, err)
	}
	two := w.branch("two")
	started, err = w.requests(fakegithub.Permissions{"actions": "read", "contents": "write", "pull_requests": "read"}).PlanAgain(t.Context(), []int{one, two}, "plan.yml", "main")
	if !errors.Is(err, github.ErrPermission) || len(started) > 0 {
		t.Errorf("without the permission: started %v: %v", started, err)
	}
}
