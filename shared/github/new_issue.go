package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	gogithub "github.com/google/go-github/v84/github"
)

// maxAssignees is how many assignees an issue may have.
// https://docs.github.com/en/rest/issues/assignees#add-assignees-to-an-issue
const maxAssignees = 10

// NewIssue is an issue to open.
type NewIssue struct {
	Title     string // at most 256 characters
	Body      string // at most 65,536
	Labels    []string
	Assignees []string // logins; the first 10
}

// CreateIssue opens an issue. GitHub creates labels that the repository does not have yet.
//
// GitHub refuses an issue if one of its assignees can't be assigned: somebody who has left,
// or a typo. A missing issue is worse than a missing assignee, so the issue is then opened
// without those whom GitHub names (without all, if it names none). The client does not try
// these again.
//
// It is one write, and one more for each refused assignee, once for each client. The error is
// ErrUnknownOutcome if GitHub failed while writing: the issue may be there. It needs
// `issues: write`.
func (c *Client) CreateIssue(ctx context.Context, repo string, n NewIssue) (Issue, error) {
	doing := "open an issue in " + repo
	owner, name, err := splitRepository(repo)
	if err != nil {
		return Issue{}, fmt.Errorf("open an issue: %w", err)
	}
	title := strings.ToValidUTF8(n.Title, "\uFFFD")
	if count := utf8.RuneCountInString(title); count > maxTitle || strings.TrimSpace(title) == "" {
		return Issue{}, fmt.Errorf("%s: the title has %d characters; GitHub takes 1 to %d", doing, count, maxTitle)
	}
	body, err := issueBody(n.Body)
	if err != nil {
		return Issue{}, fmt.Errorf("%s: %w", doing, err)
	}
	request := gogithub.IssueRequest{Title: &title, Body: &body}
	if len(n.Labels) > 0 {
		request.Labels = &n.Labels
	}
	assignees := c.assignable(repo, n.Assignees)
	for {
		request.Assignees = nil
		if len(assignees) > 0 {
			request.Assignees = &assignees
		}
		got, _, err := c.api.Issues.Create(ctx, owner, name, &request)
		if err == nil {
			return issue(got, got.GetUser().GetLogin()), nil // its author is this token's account
		}
		refused := refusedAssignees(err, assignees)
		if len(refused) == 0 {
			return Issue{}, c.explainCreate(err, doing)
		}
		c.refuse(repo, refused)
		assignees = c.assignable(repo, assignees)
	}
}

func (c *Client) explainCreate(err error, doing string) error {
	explained := c.explainWrite(err, doing, writeIssues)
	if statusOf(err) == http.StatusGone {
		return fmt.Errorf("%w: switch issues on in the repository's settings", explained)
	}
	return explained
}

// refusedAssignees lists the assignees that an answer refuses; none if it is about something
// else.
func refusedAssignees(err error, assignees []string) []string {
	var answer *gogithub.ErrorResponse
	if !errors.As(err, &answer) || statusOf(err) != http.StatusUnprocessableEntity || len(assignees) == 0 {
		return nil
	}
	var told struct {
		Errors []struct {
			Field string `json:"field"`
			Value any    `json:"value"` // go-github does not read it
		} `json:"errors"`
	}
	if json.NewDecoder(answer.Response.Body).Decode(&told) != nil { // go-github restores the body after reading it
		return nil
	}
	var refused []string
	about := false
	for _, e := range told.Errors {
		if e.Field != "assignees" && e.Field != "assignee" {
			continue
		}
		about = true
		if login, ok := e.Value.(string); ok && containsLogin(assignees, login) {
			refused = append(refused, login)
		}
	}
	if about && len(refused) == 0 {
		return assignees
	}
	return refused
}

// assignable leaves out logins that GitHub has refused before, and those above its limit.
func (c *Client) assignable(repo string, logins []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var left []string
	for _, login := range logins {
		if login != "" && !containsLogin(c.refused[repo], login) && !containsLogin(left, login) && len(left) < maxAssignees {
			left = append(left, login)
		}
	}
	return left
}

func (c *Client) refuse(repo string, logins []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[repo] = append(c.refused[repo], logins...)
}

func containsLogin(logins []string, login string) bool {
	return slices.ContainsFunc(logins, func(l string) bool { return strings.EqualFold(l, login) })
}
