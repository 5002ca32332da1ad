package pulls

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/terraform-gitops/gitops/shared/github"
)

// PlanAgain starts a workflow for each of these pull requests that is open, on its own branch,
// with its number as the input `pull-request`. On another branch, such as the default one, the
// pull request's code would run with an identity that is not its own. It returns the pull
// requests for which it started one.
//
// The branch is read from GitHub for each pull request. Pull requests of forks, and those whose
// branch is the default one, are skipped. It costs a read and a write for each. If the token
// may not start workflows, it stops, with github.ErrPermission; any other failure does not stop
// the others.
func (r *Requests) PlanAgain(ctx context.Context, numbers []int, workflow, defaultBranch string) (started []int, err error) {
	client, err := r.client()
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		pr, getErr := r.Get(ctx, n)
		if getErr != nil {
			err = errors.Join(err, fmt.Errorf("plan pull request #%d again: %w", n, getErr))
			continue
		}
		if pr.State != "open" || pr.Fork || pr.HeadRef == defaultBranch {
			continue
		}
		startErr := client.StartWorkflow(ctx, r.repository, workflow, pr.HeadRef, map[string]string{"pull-request": strconv.Itoa(n)})
		switch {
		case startErr == nil:
			started = append(started, n)
		case errors.Is(startErr, github.ErrPermission):
			return started, errors.Join(err, fmt.Errorf("give this job `permissions: actions: write`: %w", startErr))
		default:
			err = errors.Join(err, fmt.Errorf("plan pull request #%d again: %w", n, startErr))
		}
	}
	return started, err
}
