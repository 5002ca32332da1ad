// Package pulls is about pull requests that plan the same targets: which one holds a lock
// ([Requests.Lock]), whose plans an apply superseded ([Requests.Announce]), and whose plans are
// approved ([Requests.CheckApprovals]).
package pulls

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/memo"
)

// Requests are the pull requests of a repository. Each is read from GitHub once, and so are its
// reviews, its files, who is in a team and who may write. Several goroutines may use them.
type Requests struct {
	client     func() (*github.Client, error)
	teams      func() (*github.Client, error) // can list the members of teams
	repository string

	known     memo.Memo[int, github.PullRequest]
	reviewsOf memo.Memo[int, found[[]github.Review]]
	editorsIn memo.Memo[int, found[map[string]string]]
	filesOf   memo.Memo[int, found[[]github.ChangedFile]]
	runs      memo.Memo[int64, found[runApprovals]]
	membersOf memo.Memo[string, found[[]string]] // by team in lower case
	writers   memo.Memo[string, found[bool]]     // by login in lower case
}

// New returns the pull requests of a repository, owner/name. client is called for the first
// request to GitHub.
func New(client func() (*github.Client, error), repository string) *Requests {
	return &Requests{client: client, teams: client, repository: repository}
}

// WithTeams lists the members of teams with another client, and returns the same Requests.
func (r *Requests) WithTeams(client func() (*github.Client, error)) *Requests {
	r.teams = client
	return r
}

// Get returns a pull request as it was when it was first read.
func (r *Requests) Get(ctx context.Context, number int) (github.PullRequest, error) {
	return r.known.Get(number, func() (github.PullRequest, error) {
		client, err := r.client()
		if err != nil {
			return github.PullRequest{}, err
		}
		return client.PullRequest(ctx, r.repository, number)
	})
}

// State returns a pull request's state for messages: open, closed or merged.
func State(pr github.PullRequest) string {
	if pr.Merged {
		return "merged"
	}
	return pr.State
}

// listFrom is the number of pull requests from which on listing all open ones takes fewer requests
// than reading each.
const listFrom = 4

// open returns those pull requests that are open.
func (r *Requests) open(ctx context.Context, client *github.Client, numbers []int) (open []github.PullRequest, err error) {
	if len(numbers) >= listFrom {
		listed, err := client.OpenPullRequests(ctx, r.repository)
		if err != nil {
			return nil, err
		}
		wanted := map[int]bool{}
		for _, n := range numbers {
			wanted[n] = true
		}
		for _, pr := range listed {
			if wanted[pr.Number] {
				open = append(open, pr)
			}
		}
		return open, nil
	}
	for _, n := range numbers {
		pr, err := r.Get(ctx, n)
		if err != nil {
			return nil, err
		}
		if pr.State == "open" {
			open = append(open, pr)
		}
	}
	return open, nil
}
