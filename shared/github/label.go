package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v84/github"
)

// AddLabels adds labels to an issue. GitHub creates labels that the repository does not have
// yet. The error is ErrNoIssue as for Issue, or ErrUnknownOutcome if GitHub failed while
// writing; a second call does no harm. It needs `issues: write`.
func (c *Client) AddLabels(ctx context.Context, repo string, number int, labels ...string) error {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return fmt.Errorf("label issue #%d: %w", number, err)
	}
	if len(labels) == 0 {
		return nil
	}
	doing := fmt.Sprintf("add labels to issue #%d of %s", number, repo)
	// go-github sends a bare list, which GitHub accepts but does not document.
	body := map[string][]string{"labels": labels}
	req, err := c.api.NewRequest(http.MethodPost, fmt.Sprintf("repos/%s/%s/issues/%d/labels", owner, name, number), body)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if _, err := c.api.Do(ctx, req, nil); err != nil {
		return c.explainIssue(err, doing, writeIssues)
	}
	return nil
}

// RemoveLabel removes a label from an issue. It is no error if the issue does not have it, or
// is gone. The error is ErrUnknownOutcome if GitHub failed while writing; a second call does
// no harm. It needs `issues: write`.
func (c *Client) RemoveLabel(ctx context.Context, repo string, number int, label string) error {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return fmt.Errorf("remove a label from issue #%d: %w", number, err)
	}
	doing := fmt.Sprintf("remove label %q from issue #%d of %s", label, number, repo)
	if label == "" || label == "." || label == ".." { // the request's path would name something else
		return errors.New(doing + ": no such label can be named in a request")
	}
	_, err = c.api.Issues.RemoveLabelForIssue(ctx, owner, name, number, url.PathEscape(label))
	if err == nil {
		return nil
	}
	if err = c.explainIssue(err, doing, writeIssues); errors.Is(err, ErrNoIssue) {
		return nil
	}
	return err
}

// LabelledAt says when, in whole seconds, and by whom a label was last added to an issue,
// whether or not the issue still has it; zero if never. GitHub may take a moment to list an
// event.
//
// It takes one request if the issue has up to 100 events. Otherwise it reads pages from the
// newest one back. The error is ErrNoIssue as for Issue. It needs `issues: read`.
func (c *Client) LabelledAt(ctx context.Context, repo string, number int, label string) (at time.Time, by string, err error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("find who labelled issue #%d: %w", number, err)
	}
	doing := fmt.Sprintf("find who labelled issue #%d of %s", number, repo)
	page := func(n int) ([]*gogithub.IssueEvent, int, error) {
		events, resp, err := c.api.Issues.ListIssueEvents(ctx, owner, name, number, &gogithub.ListOptions{PerPage: 100, Page: n})
		if err != nil {
			return nil, 0, c.explainIssue(err, doing, readIssues)
		}
		return events, resp.LastPage, nil
	}
	// GitHub lists the oldest first.
	first, last, err := page(0)
	if err != nil {
		return time.Time{}, "", err
	}
	for n := last; n > 1; n-- {
		events, _, err := page(n)
		if err != nil {
			return time.Time{}, "", err
		}
		if at, by, found := newestLabelled(events, label); found {
			return at, by, nil
		}
	}
	at, by, _ = newestLabelled(first, label)
	return at, by, nil
}

func newestLabelled(events []*gogithub.IssueEvent, label string) (at time.Time, by string, found bool) {
	for _, e := range events {
		if e.GetEvent() == "labeled" && strings.EqualFold(e.GetLabel().GetName(), label) && !e.GetCreatedAt().Before(at) {
			at, by, found = e.GetCreatedAt().Time, e.GetActor().GetLogin(), true
		}
	}
	return at, by, found
}
