package pulls

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
)

// Announce is [Requests.TellSuperseded], says in the job's log whose plans those were, and
// returns the numbers of those pull requests.
// That somebody could not be told is a warning: what was applied is applied, and an apply of
// such a plan is refused in any case.
func (r *Requests) Announce(ctx context.Context, runtime *gha.Runtime, a Applied) (superseded []int) {
	superseded, told, err := r.TellSuperseded(ctx, a)
	if len(told) > 0 {
		var names []string
		for _, n := range told {
			names = append(names, fmt.Sprintf("#%d", n))
		}
		runtime.Notice(gha.Annotation{Message: "Plans of " + strings.Join(names, ", ") + " are superseded by this run."})
	}
	if errors.Is(err, github.ErrPermission) {
		err = fmt.Errorf("give this job `permissions: statuses: write` and `pull-requests: read`: %w", err)
	}
	if err != nil {
		runtime.Warning(gha.Annotation{Message: fmt.Sprintf("Pull requests could not be told that their plans are superseded: %v", err)})
	}
	return superseded
}
