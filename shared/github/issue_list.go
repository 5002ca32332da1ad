package github

import (
	"context"
	"fmt"

	gogithub "github.com/google/go-github/v84/github"
)

// IssueQuery says which issues to list.
type IssueQuery struct {
	Labels []string // an issue must have all of them
	State  string   // "open" (also when empty), "closed" or "all"
}

// Issues lists a repository's issues, the oldest first, without pull requests, which GitHub
// counts as issues. It takes one request for each 100 issues and pull requests that match. The
// client's first call that finds an issue also asks whose token it has.
//
// Issues that change while the pages are read may be missing. So before you conclude that an
// issue is gone, ask for it by number. No issue is listed twice. It needs `issues: read`.
func (c *Client) Issues(ctx context.Context, repo string, q IssueQuery) ([]Issue, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return nil, fmt.Errorf("list issues: %w", err)
	}
	doing := "list the issues of " + repo
	options := &gogithub.IssueListByRepoOptions{
		Labels: q.Labels,
		State:  q.State,
		// New issues come at the end, so that no other one moves to a page that was read.
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
		// As in the link to the next page. If there are many issues, github.com needs both
		// the page's number and the cursor. An Enterprise Server has no cursor.
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
