package pulls

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
)

// Announce calls [Requests.TellSuperseded], logs whose plans were superseded, and returns the
// numbers of those pull requests. If a pull request could not be notified, that is a warning:
// the apply is done, and an apply of a superseded plan is refused in any case.
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
		runtime.Warning(gha.Annotation{Message: fmt.Sprintf("Other pull requests could not be notified that their plans are superseded: %v", err)})
	}
	return superseded
}
