package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	gogithub "github.com/google/go-github/v84/github"
)

// maxComment is how many characters (Unicode code points) the body of a comment may have:
// "Body is too long (maximum is 65536 characters)".
const maxComment = 65536

const (
	readComments  = "pull-requests: read"
	writeComments = "pull-requests: write"
)

// CommentRoom is how many characters (Unicode code points) a body for StickyComment may have
// under key: GitHub's 65,536 less the marker.
func CommentRoom(key string) int { return max(maxComment-utf8.RuneCountInString(marker(key)), 0) }

// marker is the first line of a sticky comment, which is not visible on the page. The key is
// escaped to letters, digits and -_.~+%, so that it cannot end the HTML comment or the line,
// or look like another key.
func marker(key string) string { return "<!-- " + url.QueryEscape(key) + " -->\n" }

// StickyComment keeps one comment for each key up to date on a pull request: the first call
// writes it, later calls edit it, and a call with the same body writes nothing.
//
// The comment is ours if it starts with key's hidden marker and this token's own account
// wrote it. The marker alone proves nothing: anybody can type it, and the author of a comment
// can change what it says about the plan. Two runs at the same moment may write two comments;
// then the older one is kept up to date.
//
// It takes one request for each 100 comments up to ours, and one write. The client's first
// call that finds a marker also asks whose token it has. A body above CommentRoom is refused
// before anything is written. The error is ErrLocked, or ErrUnknownOutcome if GitHub failed while
// writing. It needs `pull-requests: write`.
func (c *Client) StickyComment(ctx context.Context, repo string, number int, key, body string) error {
	return c.UpdateComment(ctx, repo, number, key, func(string) string { return body })
}

// UpdateComment is StickyComment with a body that is made from the one before, which is empty if
// there is no comment yet. If the new one is empty, nothing is written.
func (c *Client) UpdateComment(ctx context.Context, repo string, number int, key string, update func(before string) string) error {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return fmt.Errorf("comment on pull request #%d: %w", number, err)
	}
	doing := fmt.Sprintf("comment on pull request #%d of %s", number, repo)
	if key == "" {
		return fmt.Errorf("%s: the comment has no key to find it by", doing)
	}
	comment, err := c.ownComment(ctx, owner, name, number, marker(key))
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	before, _ := strings.CutPrefix(canonical(comment.GetBody()), marker(key))
	body := strings.ToValidUTF8(update(before), "\uFFFD") // as JSON would, but before counting and comparing
	if n, room := utf8.RuneCountInString(body), CommentRoom(key); n > room {
		return fmt.Errorf("%s: the text has %d characters and GitHub takes %d (65,536 less the hidden marker): shorten it", doing, n, room)
	}
	if body == "" {
		return nil
	}
	full := marker(key) + body
	switch {
	case comment == nil:
		_, _, err = c.api.Issues.CreateComment(ctx, owner, name, number, &gogithub.IssueComment{Body: &full})
	case canonical(comment.GetBody()) == canonical(full):
		return nil
	default:
		_, _, err = c.api.Issues.EditComment(ctx, owner, name, comment.GetID(), &gogithub.IssueComment{Body: &full})
	}
	if err != nil {
		return c.explainWrite(err, doing, writeComments)
	}
	return nil
}

// ownComment finds the oldest comment that starts with the marker and was written by this
// token's account; nil if there is none. GitHub lists the oldest first.
func (c *Client) ownComment(ctx context.Context, owner, name string, number int, marker string) (*gogithub.IssueComment, error) {
	options := &gogithub.IssueListCommentsOptions{ListOptions: gogithub.ListOptions{PerPage: 100}}
	for {
		page, resp, err := c.api.Issues.ListComments(ctx, owner, name, number, options)
		if err != nil {
			return nil, c.explain(err, "list its comments", readComments)
		}
		for _, comment := range page {
			if !strings.HasPrefix(canonical(comment.GetBody())+"\n", marker) {
				continue
			}
			me, err := c.whoAmI(ctx)
			if err != nil {
				return nil, err
			}
			// Case does not count in logins. An app's login ends in "[bot]", which no
			// person's does.
			if strings.EqualFold(comment.GetUser().GetLogin(), me) {
				return comment, nil
			}
		}
		if resp.NextPage <= options.Page {
			return nil, nil
		}
		options.Page = resp.NextPage
	}
}

// canonical removes white space that GitHub's page changes when a person edits the text.
func canonical(body string) string {
	return strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), " \t\n")
}

// whoAmI is the login of the token's account: "github-actions[bot]" for a workflow's own
// token, "APP[bot]" for an app's token, and a person's login for a personal token.
//
// It asks through GraphQL, since REST cannot tell: the first two tokens may not call
// GET /user, and GET /app needs the app's private key.
func (c *Client) whoAmI(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.viewer != "" {
		return c.viewer, nil
	}
	const doing = "ask GitHub which account the token belongs to"
	var answer struct {
		Data struct {
			Viewer struct{ Login string }
		}
		Errors []struct{ Message string }
	}
	req, err := c.api.NewRequest("POST", c.graphql.String(), map[string]string{"query": "query { viewer { login } }"})
	if err != nil {
		return "", fmt.Errorf("%s: %w", doing, err)
	}
	if _, err := c.api.Do(ctx, req, &answer); err != nil {
		return "", c.explain(err, doing, writeComments)
	}
	if c.viewer = answer.Data.Viewer.Login; c.viewer != "" {
		return c.viewer, nil
	}
	if len(answer.Errors) > 0 {
		return "", fmt.Errorf("%s: GitHub answered: %s", doing, c.said(&gogithub.ErrorResponse{Message: answer.Errors[0].Message}))
	}
	return "", errors.New(doing + ": GitHub named none")
}
