package github

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	gogithub "github.com/google/go-github/v84/github"
)

// PullRequest is what planning and applying need to know about a pull request. Texts are as
// people typed them: escape them before you show them.
type PullRequest struct {
	Number  int
	Title   string
	Author  string // the login; empty if the account is gone
	State   string // "open" or "closed"; a merged one is closed
	Draft   bool
	Labels  []string
	HeadRef string // the branch's name, maybe in a fork
	HeadSHA string // the last commit that was reviewed
	BaseRef string
	BaseSHA string
	// Fork is true if the head is in another repository than the base, or its repository
	// was deleted. Its author may have no permission in the base's repository.
	Fork bool
	// Merged says whether it was merged. Before, MergeCommitSHA is empty here: GitHub gives
	// a test merge, which is on no branch.
	Merged bool
	// MergeCommitSHA is the base branch's commit right after the merge: the merge commit,
	// the squashed commit, or the last one of a rebase.
	// https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
	MergeCommitSHA string
}

const readPullRequests = "pull-requests: read` and `contents: read"

var commitSHA = regexp.MustCompile(`^(?i:[0-9a-f]{40}|[0-9a-f]{64})$`)

// MergedPullRequests finds the pull requests whose merge into branch base made commit, the
// head of a push. Usually that is one, and none for a direct push. It is one request, which
// lists the first 100.
//
// GitHub lists every pull request that is associated with the commit. Only those count that
// were merged as exactly this commit, into this branch of this repository. So these do not
// count:
//
//   - open pull requests, whose merge commit is a test merge;
//   - pull requests of a stack or a backport that were merged into another branch;
//   - pull requests of a fork's parent;
//   - pull requests that contain the commit, if it was pushed directly;
//   - a rebased pull request, if commit is not its last one: the branch was never there.
//
// https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
//
// It needs `pull-requests: read` and `contents: read`.
func (c *Client) MergedPullRequests(ctx context.Context, repo, commit, base string) ([]PullRequest, error) {
	doing := fmt.Sprintf("find the pull requests merged into %s of %s as %s", base, repo, commit)
	owner, name, err := splitRepository(repo)
	if err != nil {
		return nil, fmt.Errorf("find merged pull requests: %w", err)
	}
	if !commitSHA.MatchString(commit) {
		return nil, fmt.Errorf("find the pull requests merged into %s: commit %q is not a full commit SHA", repo, commit)
	}
	listed, _, err := c.api.PullRequests.ListPullRequestsWithCommit(ctx, owner, name, commit, &gogithub.ListOptions{PerPage: 100})
	if err != nil {
		return nil, c.explain(err, doing, readPullRequests)
	}
	var merged []PullRequest
	for _, listed := range listed {
		pr := pullRequest(listed)
		if pr.Merged && pr.BaseRef == base && strings.EqualFold(pr.MergeCommitSHA, commit) &&
			strings.EqualFold(listed.GetBase().GetRepo().GetFullName(), repo) {
			merged = append(merged, pr)
		}
	}
	return merged, nil
}

// PullRequest reads one pull request. It needs `pull-requests: read` and `contents: read`.
func (c *Client) PullRequest(ctx context.Context, repo string, number int) (PullRequest, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return PullRequest{}, fmt.Errorf("read pull request #%d: %w", number, err)
	}
	pr, _, err := c.api.PullRequests.Get(ctx, owner, name, number)
	if err != nil {
		return PullRequest{}, c.explain(err, fmt.Sprintf("read pull request #%d of %s", number, repo), readPullRequests)
	}
	return pullRequest(pr), nil
}

// OpenPullRequests lists the open pull requests, the oldest first, with one request for each
// 100. If some are closed while the pages are read, others may be missing: ask for one by its
// number before you conclude that it is closed. None is listed twice. It needs
// `pull-requests: read` and `contents: read`.
func (c *Client) OpenPullRequests(ctx context.Context, repo string) ([]PullRequest, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return nil, fmt.Errorf("list open pull requests: %w", err)
	}
	options := &gogithub.PullRequestListOptions{
		State: "open", Sort: "created", Direction: "asc", ListOptions: gogithub.ListOptions{PerPage: 100},
	}
	var open []PullRequest
	seen := map[int]bool{}
	for {
		page, resp, err := c.api.PullRequests.List(ctx, owner, name, options)
		if err != nil {
			return nil, c.explain(err, "list the open pull requests of "+repo, readPullRequests)
		}
		for _, pr := range page {
			if !seen[pr.GetNumber()] {
				seen[pr.GetNumber()] = true
				open = append(open, pullRequest(pr))
			}
		}
		if resp.NextPage <= options.Page {
			return open, nil
		}
		options.Page = resp.NextPage
	}
}

func pullRequest(pr *gogithub.PullRequest) PullRequest {
	p := PullRequest{
		Number:  pr.GetNumber(),
		Title:   pr.GetTitle(),
		Author:  pr.GetUser().GetLogin(),
		State:   pr.GetState(),
		Draft:   pr.GetDraft(),
		HeadRef: pr.GetHead().GetRef(),
		HeadSHA: pr.GetHead().GetSHA(),
		BaseRef: pr.GetBase().GetRef(),
		BaseSHA: pr.GetBase().GetSHA(),
		// A deleted repository has no name, which differs from the base's.
		Fork: !strings.EqualFold(pr.GetHead().GetRepo().GetFullName(), pr.GetBase().GetRepo().GetFullName()),
		// Lists have no `merged`, but merged_at is set only if it was merged.
		Merged: pr.MergedAt != nil,
	}
	for _, l := range pr.Labels {
		p.Labels = append(p.Labels, l.GetName())
	}
	if p.Merged {
		p.MergeCommitSHA = pr.GetMergeCommitSHA()
	}
	return p
}
