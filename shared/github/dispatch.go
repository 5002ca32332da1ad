package github

import (
	"context"
	"encoding/json"
	"fmt"

	gogithub "github.com/google/go-github/v84/github"
)

// Dispatch starts the workflows of the default branch that wait for a repository_dispatch
// event of this type. The payload, their `github.event.client_payload`, is a JSON object of at
// most 10 fields and 64 KB. Unlike most of what a workflow does with its own token,
// this does start others.
// https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event
//
// It is one write. It is ErrPermission when the token may not, and ErrUnknownOutcome when GitHub
// failed while writing: the workflows may run twice if it is done again. It needs `contents: write`.
func (c *Client) Dispatch(ctx context.Context, repo, eventType string, payload any) error {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return fmt.Errorf("send event %s: %w", eventType, err)
	}
	doing := fmt.Sprintf("send event %s to the workflows of %s", eventType, repo)
	encoded, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	options := gogithub.DispatchRequestOptions{EventType: eventType, ClientPayload: (*json.RawMessage)(&encoded)}
	if _, _, err := c.api.Repositories.Dispatch(ctx, owner, name, options); err != nil {
		return c.explainWrite(err, doing, "contents: write")
	}
	return nil
}
