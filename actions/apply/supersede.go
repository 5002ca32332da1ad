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

// supersede tells the other open pull requests whose plans are out of date now. That it
// could not is a warning: what was applied is applied, and an apply of such a plan is
// refused in any case.
func (m *merge) supersede(ctx context.Context, applied []chosen) {
	if m.Token == "" {
		return
	}
	a := pulls.Applied{Commit: m.commit, RunURL: m.context.RunURL, Replan: m.Replan}
	for _, c := range applied {
		a.Targets = append(a.Targets, pulls.Target{Target: c.stored.Record.Target, Store: c.store, PullRequest: c.stored.Record.PullRequest})
	}
	told, err := m.pulls.TellSuperseded(ctx, a)
	if len(told) > 0 {
		var names []string
		for _, n := range told {
			names = append(names, fmt.Sprintf("#%d", n))
		}
		m.Runtime.Notice(gha.Annotation{Message: "Plans of " + strings.Join(names, ", ") + " are superseded by this apply."})
	}
	if errors.Is(err, github.ErrPermission) {
		err = fmt.Errorf("give this job `permissions: statuses: write` (and `contents: write` for `replan`): %w", err)
	}
	if err != nil {
		m.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("Other pull requests could not be told that their plans are superseded: %v", err)})
	}
}
