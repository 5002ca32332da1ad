// Package pulls is what pull requests have to do with each other by planning the same
// targets: who holds a lock ([Requests.Lock]), and whose plans an apply has superseded
// ([Requests.Announce]).
package pulls

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/memo"
)

// Requests are a repository's pull requests, each asked for once. The methods may be
// called side by side.
type Requests struct {
	client     func() (*github.Client, error)
	repository string

	known memo.Memo[int, github.PullRequest]
}

// New returns the pull requests of a repository, owner/name. client is called when
// GitHub is asked first.
func New(client func() (*github.Client, error), repository string) *Requests {
	return &Requests{client: client, repository: repository}
}

// Get returns a pull request as it was when it was asked for first.
func (r *Requests) Get(ctx context.Context, number int) (github.PullRequest, error) {
	return r.known.Get(number, func() (github.PullRequest, error) {
		client, err := r.client()
		if err != nil {
			return github.PullRequest{}, err
		}
		return client.PullRequest(ctx, r.repository, number)
	})
}

// State is a pull request's state for people: open, closed or merged.
func State(pr github.PullRequest) string {
	if pr.Merged {
		return "merged"
	}
	return pr.State
}

// listFrom is from how many pull requests on one listing of all that are open is less
// to ask than each of them.
const listFrom = 4

// open returns those of the pull requests that are open.
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
