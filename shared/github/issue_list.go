package github

import (
	"context"
	"fmt"

	gogithub "github.com/google/go-github/v84/github"
)

// IssueQuery is which issues to list.
type IssueQuery struct {
	Labels []string // all of which an issue has
	State  string   // "open" (also when empty), "closed" or "all"
}

// Issues lists a repository's issues, the oldest first, without its pull requests,
// which GitHub counts as issues. It is one request for each 100 issues and pull requests
// that fit, and one to ask who the token is, once a client, when there is any issue.
//
// What changes while the pages are read may be missing. An issue is never listed twice.
// So before concluding from a list that an issue is gone, ask for it by number. It needs
// `issues: read`.
func (c *Client) Issues(ctx context.Context, repo string, q IssueQuery) ([]Issue, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return nil, fmt.Errorf("list issues: %w", err)
	}
	doing := "list the issues of " + repo
	options := &gogithub.IssueListByRepoOptions{
		Labels: q.Labels,
		State:  q.State,
		// New ones come at the end, where they move no other to a page that was read.
		Sort: "created", Direction: "asc",
		ListOptions: gogithub.ListOptions{PerPage: 100},
	}
	var found []*gogithub.Issue
	seen := map[int]bool{}
	for {
		page, resp, err := c.api.Issues.ListByRepo(ctx, owner, name, options)
		if err != nil {
			return nil, c.explain(err, doing, readIssues)
		}
		for _, got := range page {
			if !got.IsPullRequest() && !seen[got.GetNumber()] {
				seen[got.GetNumber()] = true
				found = append(found, got)
			}
		}
		if resp.NextPage <= options.ListOptions.Page && resp.After == "" {
			break
		}
		// As the link to the next page has them: github.com gives both and takes
		// no page number without the cursor when there are many issues; an Enterprise Server gives no cursor.
		// https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api#using-link-headers
		options.ListOptions.Page, options.After = resp.NextPage, resp.After
	}
	if len(found) == 0 {
		return nil, nil
	}
	me, err := c.whoAmI(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	issues := make([]Issue, 0, len(found))
	for _, got := range found {
		issues = append(issues, issue(got, me))
	}
	return issues, nil
}
