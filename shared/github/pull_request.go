package github

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	gogithub "github.com/google/go-github/v84/github"
)

// PullRequest is what planning and applying need to know of one. Texts are as
// people typed them: escape them before showing.
type PullRequest struct {
	Number  int
	Title   string
	URL     string // the page for people
	State   string // "open" or "closed"; a merged one is closed
	HeadRef string // the branch's name, in a fork's repository perhaps
	HeadSHA string // the last commit that was reviewed
	BaseRef string
	BaseSHA string
	// Fork is true when the head is not in the base's repository, or its repository is
	// gone. The author then needs no permission on this one.
	Fork bool
	// Merged tells whether it was merged. Until then MergeCommitSHA is empty: GitHub
	// shows a test merge there, which is on no branch.
	Merged bool
	// MergeCommitSHA is the commit that the base branch was at just after: the merge
	// commit, the squashed commit, or the last of the rebased ones.
	// https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
	MergeCommitSHA string
}

const readPullRequests = "pull-requests: read` and `contents: read"

var commitSHA = regexp.MustCompile(`^(?i:[0-9a-f]{40}|[0-9a-f]{64})$`)

// MergedPullRequests finds the pull requests whose merge into branch base made
// commit, the head of a push: one, as a rule, and none for a direct push. It is one
// request, of which the first 100 are looked at.
//
// GitHub lists every pull request that the commit has to do with. Those that count were
// merged, into this branch of this repository, as exactly this commit. So left out are:
// open ones (their merge commit is a test merge); one of a stack or a backport, merged
// into another branch; one of a fork's parent; one that merely contains a commit
// pushed by hand; and, for an earlier commit of a rebase merge, the pull request itself,
// since the branch's head was never there.
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

// OpenPullRequests lists those that are open, the oldest first. It is one request for each
// 100 of them. When some are closed while the pages are read, as many others may be missing: ask
// for one by its number before concluding that it is closed. None is listed twice. It
// needs `pull-requests: read` and `contents: read`.
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
		URL:     pr.GetHTMLURL(),
		State:   pr.GetState(),
		HeadRef: pr.GetHead().GetRef(),
		HeadSHA: pr.GetHead().GetSHA(),
		BaseRef: pr.GetBase().GetRef(),
		BaseSHA: pr.GetBase().GetSHA(),
		// No repository has no name, and so another.
		Fork: !strings.EqualFold(pr.GetHead().GetRepo().GetFullName(), pr.GetBase().GetRepo().GetFullName()),
		// A list has no `merged`, and a time is never set without it.
		Merged: pr.MergedAt != nil,
	}
	if p.Merged {
		p.MergeCommitSHA = pr.GetMergeCommitSHA()
	}
	return p
}
