package github

import (
	"context"
	"fmt"
	"net/http"
	"time"

	gogithub "github.com/google/go-github/v84/github"
)

// RunApproval is the answer of a person who was asked whether jobs of a workflow run may use
// environments. GitHub doesn't say when the answer was given, nor in which attempt of the run.
type RunApproval struct {
	User         string
	Bot          bool
	State        string // "approved", "rejected" or "pending"
	Comment      string // as the person typed it
	Environments []string
}

const readActions = "actions: read"

// RunApprovals lists who has approved or rejected the environments of a workflow run, in all of its
// attempts. It is one request. It needs `actions: read`.
// https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
func (c *Client) RunApprovals(ctx context.Context, repo string, runID int64) ([]RunApproval, error) {
	doing := fmt.Sprintf("list who approved the environments of run %d of %s", runID, repo)
	owner, name, err := splitRepository(repo)
	if err != nil {
		return nil, fmt.Errorf("list who approved the environments of run %d: %w", runID, err)
	}
	// go-github has no such call.
	req, err := c.api.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/actions/runs/%d/approvals", owner, name, runID), nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	var listed []struct {
		State        string         `json:"state"`
		Comment      string         `json:"comment"`
		User         *gogithub.User `json:"user"`
		Environments []struct {
			Name string `json:"name"`
		} `json:"environments"`
	}
	if _, err := c.api.Do(ctx, req, &listed); err != nil {
		return nil, c.explain(err, doing, readActions)
	}
	var approvals []RunApproval
	for _, l := range listed {
		a := RunApproval{User: l.User.GetLogin(), Bot: isBot(l.User), State: l.State, Comment: l.Comment}
		for _, e := range l.Environments {
			a.Environments = append(a.Environments, e.Name)
		}
		approvals = append(approvals, a)
	}
	return approvals, nil
}

// RunCreated returns when a workflow run was created. Its later attempts don't change that. It is
// one request. It needs `actions: read`.
func (c *Client) RunCreated(ctx context.Context, repo string, runID int64) (time.Time, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return time.Time{}, fmt.Errorf("read run %d: %w", runID, err)
	}
	doing := fmt.Sprintf("read run %d of %s", runID, repo)
	run, _, err := c.api.Actions.GetWorkflowRunByID(ctx, owner, name, runID)
	if err != nil {
		return time.Time{}, c.explain(err, doing, readActions)
	}
	if run.CreatedAt == nil {
		return time.Time{}, fmt.Errorf("%s: GitHub doesn't say when it was created", doing)
	}
	return run.CreatedAt.Time, nil
}
