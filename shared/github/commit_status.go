package github

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	gogithub "github.com/google/go-github/v84/github"
)

// maxStatusText is how many characters (Unicode code points) GitHub takes as a status's
// description: "description is too long (maximum is 140 characters)".
const maxStatusText = 140

// Status is what one context says of a commit: a line among the checks of each pull
// request whose head it is.
type Status struct {
	Context     string // who says it, such as "terraform-gitops/plan"; without regard to case
	State       string // "error", "failure", "pending" or "success"
	Description string // one line of at most 140 characters
	URL         string // what it links to; may be empty
}

// OurStatus is the newest status that has our context on a commit; false when there is none.
// Contexts are not bound to who sets them: whoever has `statuses: write` may use ours.
//
// It is one request for each 100 contexts that the commit has, until ours is found. It is
// ErrPermission when the token may not. It needs `statuses: read`.
func (c *Client) OurStatus(ctx context.Context, repo, sha, context string) (Status, bool, error) {
	owner, name, err := splitCommit(repo, sha)
	if err != nil {
		return Status{}, false, fmt.Errorf("read the status of a commit: %w", err)
	}
	options := &gogithub.ListOptions{PerPage: 100}
	for {
		page, resp, err := c.api.Repositories.GetCombinedStatus(ctx, owner, name, sha, options)
		if err != nil {
			return Status{}, false, c.explain(err, fmt.Sprintf("read status %s of commit %s of %s", context, sha, repo), "statuses: read")
		}
		for _, s := range page.Statuses {
			if strings.EqualFold(s.GetContext(), context) {
				return Status{Context: s.GetContext(), State: s.GetState(), Description: s.GetDescription(), URL: s.GetTargetURL()}, true, nil
			}
		}
		if resp.NextPage <= options.Page {
			return Status{}, false, nil
		}
		options.Page = resp.NextPage
	}
}

// SetStatus says something of a commit, in the place of what its context said before. A
// description of more than 140 characters is cut, and ends with "…". GitHub takes 1,000 statuses
// for each commit and context, so leave alone what need not change.
// https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
//
// It is one write. It is ErrPermission when the token may not, and ErrUnknownOutcome when GitHub
// failed while writing; doing it twice does no harm. It needs `statuses: write`.
func (c *Client) SetStatus(ctx context.Context, repo, sha string, s Status) error {
	owner, name, err := splitCommit(repo, sha)
	if err != nil {
		return fmt.Errorf("set the status of a commit: %w", err)
	}
	description := clip(s.Description, maxStatusText)
	status := gogithub.RepoStatus{Context: &s.Context, State: &s.State, Description: &description}
	if s.URL != "" {
		status.TargetURL = &s.URL
	}
	if _, _, err := c.api.Repositories.CreateStatus(ctx, owner, name, sha, status); err != nil {
		return c.explainWrite(err, fmt.Sprintf("set status %s of commit %s of %s", s.Context, sha, repo), "statuses: write")
	}
	return nil
}

// splitCommit is splitRepository for a call about a commit, which must be named in full.
func splitCommit(repo, sha string) (owner, name string, err error) {
	if !commitSHA.MatchString(sha) {
		return "", "", fmt.Errorf("%q is not a full commit SHA", sha)
	}
	return splitRepository(repo)
}

// clip cuts a text after so many characters, the last of which then tells of it.
func clip(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD") // as JSON would, but before counting
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
