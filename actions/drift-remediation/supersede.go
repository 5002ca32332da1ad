package main

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// supersede notifies the open pull requests whose plans of the target are superseded. It comes before
// the issue is closed: if the run stops in between, it can be run again and notifies them then.
func (r *remediation) supersede(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	requests := pulls.New(func() (*github.Client, error) { return r.github, nil }, r.actx.Repository)
	requests.Announce(ctx, r.Runtime, pulls.Applied{
		Targets: []pulls.Target{{Target: r.link.Target, Store: r.store, DriftIssue: r.issue.Number}},
		RunURL:  r.actx.RunURL,
	})
}
