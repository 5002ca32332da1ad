package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	gogithub "github.com/google/go-github/v84/github"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// maxTitle is GitHub's limit on an issue's title, in characters (Unicode code points).
const maxTitle = 256

const (
	readIssues  = "issues: read"
	writeIssues = "issues: write"
)

// ErrNoIssue is wrapped when a number names no issue of the repository: it was deleted, transferred to
// another repository, never existed, is a pull request's, or the token may not see it.
var ErrNoIssue = problem.With(problem.GitHub, errors.New("there is no such issue in the repository"))

// Issue is what keeping one up to date needs to know. Texts are as people typed
// them: escape them before showing.
type Issue struct {
	Number      int
	Title       string
	Body        string // its line ends are "\n", also where a browser left "\r\n"
	State       string // "open" or "closed"
	StateReason string // why it is: "completed", "not_planned", "duplicate", "reopened", or nothing
	Author      string
	Ours        bool // written by this token's own account
	Labels      []string
	Assignees   []string
	Locked      bool
	UpdatedAt   time.Time // of anything about it: a comment, a label
	URL         string    // the page for people
}

// HasLabel tells whether a label is on the issue. GitHub's labels have no case.
func (i Issue) HasLabel(name string) bool {
	for _, label := range i.Labels {
		if strings.EqualFold(label, name) {
			return true
		}
	}
	return false
}

// Issue reads one, and asks who the token is, once a client. It is ErrNoIssue when
// the number is not, or no longer, an issue of this repository. It needs `issues: read`.
func (c *Client) Issue(ctx context.Context, repo string, number int) (Issue, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return Issue{}, fmt.Errorf("read issue #%d: %w", number, err)
	}
	doing := fmt.Sprintf("read issue #%d of %s", number, repo)
	got, _, err := c.api.Issues.Get(ctx, owner, name, number)
	if err != nil {
		return Issue{}, c.explainIssue(err, doing, readIssues)
	}
	if got.IsPullRequest() {
		return Issue{}, fmt.Errorf("%s: %w: #%d is a pull request", doing, ErrNoIssue, number)
	}
	here, err := c.isIn(ctx, owner, name, got)
	if err != nil {
		return Issue{}, c.explain(err, doing, readIssues)
	}
	if !here {
		return Issue{}, fmt.Errorf("%s: %w: it was transferred to %s", doing, ErrNoIssue, got.GetHTMLURL())
	}
	me, err := c.whoAmI(ctx)
	if err != nil {
		return Issue{}, fmt.Errorf("%s: %w", doing, err)
	}
	return issue(got, me), nil
}

// isIn tells whether an issue that was asked for is in the repository it was asked of.
// GitHub redirects from a transferred issue to where it is now, which is followed, and likewise
// from a renamed repository: only then is one more request needed.
func (c *Client) isIn(ctx context.Context, owner, name string, got *gogithub.Issue) (bool, error) {
	in := func(fullName string) bool {
		url := strings.ToLower(got.GetRepositoryURL())
		return strings.HasSuffix(url, "/repos/"+strings.ToLower(fullName))
	}
	if in(owner + "/" + name) {
		return true, nil
	}
	repository, _, err := c.api.Repositories.Get(ctx, owner, name)
	if err != nil {
		return false, err
	}
	return in(repository.GetFullName()), nil
}

// IssueEdit is what to change about an issue; what is left empty stays as it is.
type IssueEdit struct {
	Body        *string
	State       string   // "open" or "closed"
	StateReason string   // with State: "completed", "not_planned", "duplicate"
	Labels      []string // the whole list; empty and not nil removes all
}

// EditIssue changes what is set and nothing else, in one write, and gives the issue as
// it then is. GitHub has no way to make a write depend on what was read, so a
// person's edit of the same moment may be lost: read just before. It asks who the token
// is, once a client, before it writes.
//
// It is ErrNoIssue as Issue is, and ErrUnknownOutcome when GitHub failed while writing.
// It needs `issues: write`.
func (c *Client) EditIssue(ctx context.Context, repo string, number int, e IssueEdit) (Issue, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return Issue{}, fmt.Errorf("edit issue #%d: %w", number, err)
	}
	doing := fmt.Sprintf("edit issue #%d of %s", number, repo)
	var change gogithub.IssueRequest
	if e.Body != nil {
		body, err := issueBody(*e.Body)
		if err != nil {
			return Issue{}, fmt.Errorf("%s: %w", doing, err)
		}
		change.Body = &body
	}
	if e.State != "" {
		change.State = &e.State
	}
	if e.StateReason != "" {
		change.StateReason = &e.StateReason
	}
	if e.Labels != nil {
		change.Labels = &e.Labels
	}
	if change == (gogithub.IssueRequest{}) {
		return Issue{}, errors.New(doing + ": nothing is set to be changed")
	}
	me, err := c.whoAmI(ctx)
	if err != nil {
		return Issue{}, fmt.Errorf("%s: %w", doing, err)
	}
	got, _, err := c.api.Issues.Edit(ctx, owner, name, number, &change)
	if err != nil {
		return Issue{}, c.explainIssue(err, doing, writeIssues)
	}
	return issue(got, me), nil
}

// explainIssue is explain, or for a write explainWrite, that knows an issue which is
// gone: GitHub answers 410 for a deleted one, and 404 for all but the reading of a transferred one.
// https://docs.github.com/en/rest/issues/issues#get-an-issue
func (c *Client) explainIssue(err error, doing, permissions string) error {
	var gone bool
	switch statusOf(err) {
	case http.StatusNotFound:
		gone = true
	case http.StatusGone: // also where issues are switched off
		gone = !strings.Contains(messageOf(err), "disabled")
	}
	if gone {
		return fmt.Errorf("%s: %w: %w", doing, ErrNoIssue, c.cause(err, permissions))
	}
	if permissions == readIssues {
		return c.explain(err, doing, permissions)
	}
	return c.explainWrite(err, doing, permissions)
}

// issueBody is a body as it can be sent.
func issueBody(body string) (string, error) {
	body = strings.ToValidUTF8(body, "\uFFFD") // as JSON would, but before counting
	if n := utf8.RuneCountInString(body); n > maxComment {
		return "", fmt.Errorf("the text has %d characters and GitHub takes 65,536: shorten it", n)
	}
	return body, nil
}

// issue is one as GitHub describes it, seen by the account me.
func issue(got *gogithub.Issue, me string) Issue {
	i := Issue{
		Number:      got.GetNumber(),
		Title:       got.GetTitle(),
		Body:        strings.ReplaceAll(got.GetBody(), "\r\n", "\n"),
		State:       got.GetState(),
		StateReason: got.GetStateReason(),
		Author:      got.GetUser().GetLogin(),
		// As for a comment: logins have no case, and no person's ends in "[bot]".
		Ours:      strings.EqualFold(got.GetUser().GetLogin(), me),
		Locked:    got.GetLocked(),
		UpdatedAt: got.GetUpdatedAt().Time,
		URL:       got.GetHTMLURL(),
	}
	for _, label := range got.Labels {
		i.Labels = append(i.Labels, label.GetName())
	}
	for _, user := range got.Assignees {
		i.Assignees = append(i.Assignees, user.GetLogin())
	}
	return i
}
