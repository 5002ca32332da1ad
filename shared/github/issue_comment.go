package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

	gogithub "github.com/google/go-github/v84/github"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrLocked is wrapped if the conversation of an issue or pull request is locked. Then only
// people with write permission can comment, but not apps and workflows. Labels, state and
// body can still be changed.
var ErrLocked = problem.With(problem.GitHubPermission, errors.New("the conversation is locked"))

// CommentOnIssue adds a comment of at most 65,536 characters. The error is ErrNoIssue as for
// Issue, ErrLocked, or ErrUnknownOutcome if GitHub failed while writing. It needs
// `issues: write`.
func (c *Client) CommentOnIssue(ctx context.Context, repo string, number int, body string) error {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return fmt.Errorf("comment on issue #%d: %w", number, err)
	}
	doing := fmt.Sprintf("comment on issue #%d of %s", number, repo)
	body, err = issueBody(body)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if strings.TrimSpace(body) == "" {
		return errors.New(doing + ": there is no text")
	}
	_, _, err = c.api.Issues.CreateComment(ctx, owner, name, number, &gogithub.IssueComment{Body: &body})
	if err == nil {
		return nil
	}
	return c.explainIssue(err, doing, writeIssues)
}
