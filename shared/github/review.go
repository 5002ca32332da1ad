package github

import (
	"context"
	"fmt"
	"time"

	gogithub "github.com/google/go-github/v84/github"
)

// Review is a review of a pull request. Its text is as a person typed it: escape it before you
// show it.
type Review struct {
	ID    int64
	User  string // empty: the account is gone
	Bot   bool   // an app wrote it
	State string // "APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED" or "PENDING"
	// Commit was the pull request's head when the review was written. It is empty if Git at GitHub
	// no longer has it.
	Commit string
	At     time.Time // when it was submitted, in whole seconds
	Body   string
}

// Reviews lists the reviews of a pull request, the oldest first, with one request for each 100. A
// review that was dismissed stays in its place, with another state. It needs
// `pull-requests: read`.
// https://docs.github.com/en/rest/pulls/reviews#list-reviews-for-a-pull-request
func (c *Client) Reviews(ctx context.Context, repo string, number int) ([]Review, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return nil, fmt.Errorf("list the reviews of pull request #%d: %w", number, err)
	}
	options := &gogithub.ListOptions{PerPage: 100}
	var reviews []Review
	for {
		page, resp, err := c.api.PullRequests.ListReviews(ctx, owner, name, number, options)
		if err != nil {
			return nil, c.explain(err, fmt.Sprintf("list the reviews of pull request #%d of %s", number, repo), "pull-requests: read")
		}
		for _, r := range page {
			reviews = append(reviews, Review{
				ID: r.GetID(), User: r.GetUser().GetLogin(), Bot: isBot(r.GetUser()), State: r.GetState(),
				Commit: r.GetCommitID(), At: r.GetSubmittedAt().Time, Body: r.GetBody(),
			})
		}
		if resp.NextPage <= options.Page {
			return reviews, nil
		}
		options.Page = resp.NextPage
	}
}

// isBot reports whether an account is an app's, and not a person's.
func isBot(u *gogithub.User) bool { return u.GetType() != "User" }
