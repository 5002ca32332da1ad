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

// maxComment is how many characters (Unicode code points) GitHub takes as the body
// of a comment: "Body is too long (maximum is 65536 characters)".
const maxComment = 65536

const (
	readComments  = "pull-requests: read"
	writeComments = "pull-requests: write"
)

// CommentRoom is how many characters (Unicode code points) of body StickyComment can
// write under key: GitHub's 65,536 less the marker.
func CommentRoom(key string) int { return max(maxComment-utf8.RuneCountInString(marker(key)), 0) }

// marker is the line that a sticky comment starts with, invisible on the page. The
// key is escaped so that it cannot end the HTML comment, break the line, or equal another
// key's: only letters, digits and -_.~+% are left.
func marker(key string) string { return "<!-- " + url.QueryEscape(key) + " -->\n" }

// StickyComment keeps one comment per key up to date on a pull request: the first call
// writes it, later ones edit it in place, and a call with the same body writes nothing.
//
// The comment is ours when it starts with key's hidden marker and this token's own
// account wrote it: a marker alone proves nothing, for anyone may type it, and whoever wrote
// a comment may change what it says about the plan. When several are ours, which two runs
// at the same moment can cause, the oldest is kept up to date.
//
// It costs one request for each 100 comments up to ours, one to ask who the token is,
// once a client and only when there is a comment with the marker, and one write. A body above
// CommentRoom is refused before anything is sent. It is ErrLocked, or ErrUnknownOutcome when
// GitHub failed while writing. It needs `pull-requests: write`.
func (c *Client) StickyComment(ctx context.Context, repo string, number int, key, body string) error {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return fmt.Errorf("comment on pull request #%d: %w", number, err)
	}
	doing := fmt.Sprintf("comment on pull request #%d of %s", number, repo)
	if key == "" {
		return fmt.Errorf("%s: the comment has no key to find it by", doing)
	}
	body = strings.ToValidUTF8(body, "\uFFFD") // as JSON would, but before counting and comparing
	if n, room := utf8.RuneCountInString(body), CommentRoom(key); n > room {
		return fmt.Errorf("%s: the text has %d characters and GitHub takes %d (65,536 less the hidden marker): shorten it", doing, n, room)
	}
	full := marker(key) + body
	comment, err := c.ownComment(ctx, owner, name, number, marker(key))
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
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

// ownComment finds the oldest comment of this token's account that starts with
// the marker, or nil. GitHub lists the oldest first.
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
			// Logins are unique without regard to case, and an app's ends in "[bot]", which no
			// person's can.
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

// canonical removes what an edit in GitHub's page changes without changing the text.
func canonical(body string) string {
	return strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), " \t\n")
}

// whoAmI is the login of the account that the token acts for: "github-actions[bot]" for
// a workflow's own token, "APP[bot]" for an app's, a person's for a personal one.
//
// GraphQL is asked because REST cannot tell: GET /user is forbidden to the first two,
// and GET /app wants the app's private key.
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
