package main

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/pulls"
)

// supersede tells the other open pull requests whose plans are out of date now.
func (m *merge) supersede(ctx context.Context, applied []chosen) {
	if m.Token == "" {
		return
	}
	a := pulls.Applied{Commit: m.commit, RunURL: m.context.RunURL, Replan: m.Replan}
	for _, c := range applied {
		a.Targets = append(a.Targets, pulls.Target{Target: c.stored.Record.Target, Store: c.store, PullRequest: c.stored.Record.PullRequest})
	}
	m.pulls.Announce(ctx, m.Runtime, a)
}
