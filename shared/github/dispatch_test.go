package github

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// starting is a repository with a pull request's branch, and a client that may start workflows.
func starting(t *testing.T) (*fakegithub.Server, *fakegithub.Repository, *Client) {
	t.Helper()
	s := fakegithub.Start(t)
	r := s.Repository(repo)
	r.AddPullRequest(fakegithub.PullRequest{Head: "feature/$(id)", HeadSHA: head, Base: "main", BaseSHA: base})
	return s, r, connect(t, s.URL(), s.NewToken(bot, fakegithub.Permissions{"actions": "write"}))
}

func TestAWorkflowIsStartedOnABranch(t *testing.T) {
	t.Parallel()
	s, r, c := starting(t)
	if err := c.StartWorkflow(t.Context(), repo, "plan.yml", "feature/$(id)", map[string]string{"pull-request": "1"}); err != nil {
		t.Fatal(err)
	}
	want := []fakegithub.Dispatch{{Workflow: "plan.yml", Ref: "refs/heads/feature/$(id)", Inputs: map[string]string{"pull-request": "1"}, Sender: bot}}
	if diff := cmp.Diff(want, r.Dispatches()); diff != "" {
		t.Error(diff)
	}
	if got := requests(s); got != "POST 204" {
		t.Errorf("requests: %s, want one", got)
	}
}

func TestAWorkflowThatCannotBeStartedSaysWhy(t *testing.T) {
	t.Parallel()
	s, r, writer := starting(t)
	reader := connect(t, s.URL(), s.NewToken(bot, fakegithub.Permissions{"contents": "write", "actions": "read"}))
	err := reader.StartWorkflow(t.Context(), repo, "plan.yml", "feature/$(id)", nil)
	wantError(t, err, "start plan.yml on branch", "`actions: write`")
	if !errors.Is(err, ErrPermission) {
		t.Error("it is not ErrPermission")
	}
	wantError(t, writer.StartWorkflow(t.Context(), repo, "plan.yml", "gone", nil), "422", "No ref found")
	for _, file := range []string{"", "plan", "../plan.yml", "a/b.yml", "plan.yml?x=.yml", "plan .yml"} {
		wantError(t, writer.StartWorkflow(t.Context(), repo, file, "main", nil), "is not the name of a workflow's file")
	}
	if len(r.Dispatches()) != 0 {
		t.Errorf("started: %+v", r.Dispatches())
	}
	s.Fail(fakegithub.Fault{Method: "POST", Done: true})
	if err := writer.StartWorkflow(t.Context(), repo, "plan.yml", "main", nil); !errors.Is(err, ErrUnknownOutcome) || len(r.Dispatches()) != 1 {
		t.Errorf("%v, %+v", err, r.Dispatches())
	}
}
