package github

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	gogithub "github.com/google/go-github/v84/github"
)

// maxStatusText is how many characters (Unicode code points) the description of a status may
// have: "description is too long (maximum is 140 characters)".
const maxStatusText = 140

// Status is what one context says about a commit. GitHub shows it as a line among the checks
// of each pull request with this head commit.
type Status struct {
	Context     string // who says it, such as "terraform-gitops/plan"; case does not count
	State       string // "error", "failure", "pending" or "success"
	Description string // one line of at most 140 characters
	URL         string // where it links to; may be empty
}

// Statuses are the newest statuses of a commit, one of each context that begins with prefix;
// case does not count. A context does not belong to anybody: whoever has `statuses: write` may
// use ours.
//
// It takes one request for each 100 contexts of the commit. The error is ErrPermission if the
// token may not read statuses. It needs `statuses: read`.
func (c *Client) Statuses(ctx context.Context, repo, sha, prefix string) (ours []Status, err error) {
	owner, name, err := splitCommit(repo, sha)
	if err != nil {
		return nil, fmt.Errorf("read the statuses of a commit: %w", err)
	}
	options := &gogithub.ListOptions{PerPage: 100}
	for {
		page, resp, err := c.api.Repositories.GetCombinedStatus(ctx, owner, name, sha, options)
		if err != nil {
			return nil, c.explain(err, fmt.Sprintf("read the statuses %s of commit %s of %s", prefix, sha, repo), "statuses: read")
		}
		for _, s := range page.Statuses {
			if found := s.GetContext(); len(found) >= len(prefix) && strings.EqualFold(found[:len(prefix)], prefix) {
				ours = append(ours, Status{Context: found, State: s.GetState(), Description: s.GetDescription(), URL: s.GetTargetURL()})
			}
		}
		if resp.NextPage <= options.Page {
			return ours, nil
		}
		options.Page = resp.NextPage
	}
}

// SetStatus sets a status of a commit, which replaces the context's status before. A
// description of more than 140 characters is cut, and ends with "…". GitHub accepts 1,000
// statuses for each commit and context, so do not set one that does not change.
// https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
//
// It is one write. The error is ErrPermission if the token may not set statuses, and
// ErrUnknownOutcome if GitHub failed while writing; a second call does no harm. It needs
// `statuses: write`.
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

// splitCommit is splitRepository for calls about a commit. It refuses a shortened SHA.
func splitCommit(repo, sha string) (owner, name string, err error) {
	if !commitSHA.MatchString(sha) {
		return "", "", fmt.Errorf("%q is not a full commit SHA", sha)
	}
	return splitRepository(repo)
}

// clip shortens a text to a number of characters, the last of which is then "…".
func clip(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD") // as JSON would, but before counting
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
