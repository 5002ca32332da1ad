package github

import (
	"context"
	"fmt"
	"regexp"

	gogithub "github.com/google/go-github/v84/github"
)

// workflowFile is the name of a workflow's file, which is part of a URL here.
var workflowFile = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml$`)

// StartWorkflow starts a workflow on a branch: a workflow_dispatch event, whose run is of that
// branch, with that branch's file of the workflow. file is its name in .github/workflows. It
// must wait for that event in the branch's file and in the default branch's. Unlike most of
// what a workflow does with its own token, this does start others.
// https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
//
// It is one write. It is ErrPermission when the token may not, and ErrUnknownOutcome when GitHub
// failed while writing: the workflow may run twice if it is done again. It needs `actions: write`.
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
