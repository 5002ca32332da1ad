package pulls

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/terraform-gitops/gitops/shared/github"
)

// PlanAgain starts a workflow for each of the pull requests that is open, on its own branch,
// with its number as the input `pull-request`: a run of another branch, such as the default
// one, would give the pull request's code an identity that is not its own. It returns those for
// which it was started.
//
// GitHub is asked for each one's branch: what the numbers come with is not relied on. Those of
// a fork, and those whose branch is the default one, are left out. It is a read and a write for
// each. It is github.ErrPermission when the token may not start workflows, which is then tried
// once; that it was not started for one is an error, and the others go on.
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
