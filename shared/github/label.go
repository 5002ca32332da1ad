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

// AddLabels puts labels on an issue, beside those it has. What the repository does not have yet,
// GitHub makes. It is ErrNoIssue as Issue is, or ErrUnknownOutcome when GitHub failed
// while writing; doing it twice does no harm. It needs `issues: write`.
func (c *Client) AddLabels(ctx context.Context, repo string, number int, labels ...string) error {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return fmt.Errorf("label issue #%d: %w", number, err)
	}
	if len(labels) == 0 {
		return nil
	}
	doing := fmt.Sprintf("add labels to issue #%d of %s", number, repo)
	// go-github sends a bare list, which GitHub takes and does not describe.
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

// RemoveLabel takes a label off an issue. That it is not on it, or that the issue is gone, is
// no error. It is ErrUnknownOutcome when GitHub failed while writing; doing it twice
// does no harm. It needs `issues: write`.
func (c *Client) RemoveLabel(ctx context.Context, repo string, number int, label string) error {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return fmt.Errorf("remove a label from issue #%d: %w", number, err)
	}
	doing := fmt.Sprintf("remove label %q from issue #%d of %s", label, number, repo)
	if label == "" || label == "." || label == ".." { // the request would be for another thing
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

// LabelledAt is when, in whole seconds, and by whom an issue got a label the last
// time, whether or not it is still there; zero when it never did. An event can take a
// moment to be listed.
//
// It is one request for up to 100 events of the issue, and else as many as are needed from
// the newest page back. It is ErrNoIssue as Issue is. It needs `issues: read`.
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
