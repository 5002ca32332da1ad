package github

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	gogithub "github.com/google/go-github/v84/github"
)

// Review is a review of a pull request. Its text is as a person typed it: escape it before you
// show it.
type Review struct {
	ID    int64
	Node  string // its ID in GraphQL
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
				ID: r.GetID(), Node: r.GetNodeID(), User: r.GetUser().GetLogin(), Bot: isBot(r.GetUser()), State: r.GetState(),
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

const reviewEditors = `query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequestReview { id lastEditedAt editor { login } } } }`

// ReviewEditors returns who changed the texts of reviews last, by [Review.Node]. Reviews that
// nobody changed are not in it. Whoever may write to the repository may change any text, and REST
// doesn't show it. It is one request for each 100 reviews. It needs `pull-requests: read`.
// https://docs.github.com/en/graphql/reference/objects#pullrequestreview
func (c *Client) ReviewEditors(ctx context.Context, nodes []string) (map[string]string, error) {
	const doing = "find out who edited reviews"
	editors := map[string]string{}
	for some := range slices.Chunk(nodes, 100) {
		var answer struct {
			Data struct {
				Nodes []struct {
					ID           string
					LastEditedAt *time.Time
					Editor       struct{ Login string }
				}
			}
			Errors []struct{ Message string }
		}
		req, err := c.api.NewRequest(http.MethodPost, c.graphql.String(), map[string]any{"query": reviewEditors, "variables": map[string]any{"ids": some}})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		if _, err := c.api.Do(ctx, req, &answer); err != nil {
			return nil, c.explain(err, doing, "pull-requests: read")
		}
		if len(answer.Errors) > 0 {
			return nil, fmt.Errorf("%s: GitHub answered: %s", doing, c.said(&gogithub.ErrorResponse{Message: answer.Errors[0].Message}))
		}
		told := map[string]bool{}
		for _, n := range answer.Data.Nodes {
			told[n.ID] = true
			if n.LastEditedAt != nil {
				editors[n.ID] = cmp.Or(n.Editor.Login, "an account that is gone")
			}
		}
		for _, node := range some {
			if !told[node] {
				return nil, fmt.Errorf("%s: GitHub has no review %s any more", doing, node)
			}
		}
	}
	return editors, nil
}
