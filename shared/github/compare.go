package github

import (
	"context"
	"fmt"

	gogithub "github.com/google/go-github/v84/github"
)

// Behind reports whether a commit is an ancestor of another one, which GitHub then calls
// "ahead". It is one request. A commit that GitHub does not have is an error. It needs
// `contents: read`.
// https://docs.github.com/en/rest/commits/commits#compare-two-commits
func (c *Client) Behind(ctx context.Context, repo, commit, other string) (bool, error) {
	owner, name, err := splitCommit(repo, commit)
	if err == nil {
		_, _, err = splitCommit(repo, other)
	}
	if err != nil {
		return false, fmt.Errorf("compare commits: %w", err)
	}
	comparison, _, err := c.api.Repositories.CompareCommits(ctx, owner, name, commit, other, &gogithub.ListOptions{PerPage: 1})
	if err != nil {
		return false, c.explain(err, fmt.Sprintf("compare commits %s and %s of %s", commit, other, repo), "contents: read")
	}
	return comparison.GetStatus() == "ahead", nil
}
