package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// supersede notifies the other open pull requests whose plans are superseded. It returns their
// numbers as JSON for the output `superseded`, or an empty text if there are none.
func (m *merge) supersede(ctx context.Context, applied []found) string {
	if m.Token == "" {
		return ""
	}
	a := pulls.Applied{Commit: m.commit, RunURL: m.context.RunURL}
	for _, c := range applied {
		a.Targets = append(a.Targets, pulls.Target{Target: c.stored.Record.Target, Store: c.store, PullRequest: c.stored.Record.PullRequest})
	}
	numbers, err := []int(nil), error(nil)
	if m.Finished == "" {
		numbers = m.pulls.Announce(ctx, m.Runtime, a)
	} else if numbers, err = m.pulls.Superseded(ctx, a); err != nil { // the jobs that applied have notified them
		m.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("Which pull requests have to be planned again is not known: %v", err)})
	}
	superseded, err := json.Marshal(numbers)
	if err != nil || string(superseded) == "null" { // numbers are always JSON
		return ""
	}
	return string(superseded)
}
