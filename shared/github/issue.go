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

// ErrNoIssue is wrapped if a number is not the number of an issue in the repository: it was
// deleted or transferred, never existed, is a pull request, or the token may not see it.
var ErrNoIssue = problem.With(problem.GitHub, errors.New("there is no such issue in the repository"))

// Issue is what must be known to keep an issue up to date. Texts are as people typed them:
// escape them before you show them.
type Issue struct {
	Number    int
	Body      string // with "\n" at the ends of lines, also if a browser sent "\r\n"
	State     string // "open" or "closed"
	Author    string
	Ours      bool // this token's own account wrote it
	Labels    []string
	UpdatedAt time.Time // the last change of anything, such as a comment or a label
	URL       string    // the page for people
}

// HasLabel reports whether the issue has a label. GitHub ignores the case of labels.
func (i Issue) HasLabel(name string) bool {
	for _, label := range i.Labels {
		if strings.EqualFold(label, name) {
			return true
		}
	}
	return false
}

// Issue reads an issue. The client's first call also asks whose token it has. The error is
// ErrNoIssue if the number is not, or no longer, an issue of this repository. It needs
// `issues: read`.
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

// isIn reports whether an issue is in the repository that was asked for it. GitHub redirects
// from a transferred issue to its new place, and from a renamed repository to its new name.
// One more request tells which it was.
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

// IssueEdit says what to change about an issue. What is empty stays as it is.
type IssueEdit struct {
	Body        *string
	State       string   // "open" or "closed"
	StateReason string   // with State: "completed", "not_planned", "duplicate"
	Labels      []string // all labels; an empty list that is not nil removes all
}

// EditIssue changes only what is set, in one write, and returns the issue after that. GitHub
// cannot make a write depend on what was read, so a person's edit at the same moment may be
// lost: read the issue just before. The client's first call also asks whose token it has.
//
// The error is ErrNoIssue as for Issue, or ErrUnknownOutcome if GitHub failed while writing.
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

// explainIssue is explain or, for a write, explainWrite, with ErrNoIssue if the issue is gone.
// GitHub answers 410 for a deleted issue, and 404 for a write to a transferred one.
// https://docs.github.com/en/rest/issues/issues#get-an-issue
func (c *Client) explainIssue(err error, doing, permissions string) error {
	var gone bool
	switch statusOf(err) {
	case http.StatusNotFound:
		gone = true
	case http.StatusGone: // also if issues are switched off
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

// issueBody prepares a body for sending.
func issueBody(body string) (string, error) {
	body = strings.ToValidUTF8(body, "\uFFFD") // as JSON would, but before counting
	if n := utf8.RuneCountInString(body); n > maxComment {
		return "", fmt.Errorf("the text has %d characters and GitHub takes 65,536: shorten it", n)
	}
	return body, nil
}

// issue converts GitHub's description of an issue. me is the login of the token's account.
func issue(got *gogithub.Issue, me string) Issue {
	i := Issue{
		Number: got.GetNumber(),
		Body:   strings.ReplaceAll(got.GetBody(), "\r\n", "\n"),
		State:  got.GetState(),
		Author: got.GetUser().GetLogin(),
		// Case does not count in logins, and no person's login ends in "[bot]".
		Ours:      strings.EqualFold(got.GetUser().GetLogin(), me),
		UpdatedAt: got.GetUpdatedAt().Time,
		URL:       got.GetHTMLURL(),
	}
	for _, label := range got.Labels {
		i.Labels = append(i.Labels, label.GetName())
	}
	return i
}
