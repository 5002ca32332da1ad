package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// supersede tells the open pull requests whose plans of the target are out of date, since
// drift was taken back. It comes before the issue is closed: what dies in between can be run
// again, and tells them then. That it could not is a warning, since an apply of such a plan
// is refused in any case.
func (r *remediation) supersede(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	requests := pulls.New(func() (*github.Client, error) { return r.github, nil }, r.actx.Repository)
	told, err := requests.TellSuperseded(ctx, pulls.Applied{
		Targets: []pulls.Target{{Target: r.link.Target, Store: r.store, DriftIssue: r.issue.Number}},
		RunURL:  r.actx.RunURL,
	})
	if len(told) > 0 {
		var names []string
		for _, n := range told {
			names = append(names, fmt.Sprintf("#%d", n))
		}
		r.Runtime.Notice(gha.Annotation{Message: "Plans of " + strings.Join(names, ", ") + " are superseded by this remediation."})
	}
	if errors.Is(err, github.ErrPermission) {
		err = fmt.Errorf("give this job `permissions: statuses: write` and `pull-requests: read`: %w", err)
	}
	if err != nil {
		r.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("Pull requests could not be told that their plans are superseded: %v", err)})
	}
}
