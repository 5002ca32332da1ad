package github

import (
	"context"
	"fmt"
	"regexp"

	gogithub "github.com/google/go-github/v84/github"
)

// workflowFile matches the name of a workflow's file, which becomes a part of a URL.
var workflowFile = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml$`)

// StartWorkflow starts a workflow on a branch with a workflow_dispatch event. The run uses that
// branch, and that branch's version of the workflow. file is its name in .github/workflows; it
// must have `on: workflow_dispatch` in both the branch and the default branch. This event
// starts a workflow even if a workflow's own token sends it, unlike most others.
// https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
//
// It is one write. The error is ErrPermission if the token may not start workflows, and
// ErrUnknownOutcome if GitHub failed while writing: after a second call the workflow may run
// twice. It needs `actions: write`.
func (c *Client) StartWorkflow(ctx context.Context, repo, file, branch string, inputs map[string]string) error {
	doing := fmt.Sprintf("start %s on branch %q of %s", file, branch, repo)
	owner, name, err := splitRepository(repo)
	if err == nil && !workflowFile.MatchString(file) {
		err = fmt.Errorf("%q is not the name of a workflow's file, such as plan.yml", file)
	}
	if err != nil {
		return fmt.Errorf("start a workflow: %w", err)
	}
	event := gogithub.CreateWorkflowDispatchEventRequest{Ref: "refs/heads/" + branch} // a tag may have the branch's name
	for key, value := range inputs {
		if event.Inputs == nil {
			event.Inputs = map[string]any{}
		}
		event.Inputs[key] = value
	}
	if _, _, err := c.api.Actions.CreateWorkflowDispatchEventByFileName(ctx, owner, name, file, event); err != nil {
		return c.explainWrite(err, doing, "actions: write")
	}
	return nil
}
