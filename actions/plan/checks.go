package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// checks are what the plans of each environment would do. The empty one is for all plans together.
type checks map[string]*check

type check struct {
	targets, failed, denied, waiting, locked int
	counts                                   changes.Counts
}

// add adds a target to its environment's check and to the one for all.
func (c checks) add(o plan.Outcome) {
	if o.Decision == plan.Skipped {
		return
	}
	for _, environment := range slices.Compact([]string{"", o.Environment}) {
		if c[environment] == nil {
			c[environment] = &check{}
		}
		k := c[environment]
		k.targets++
		k.counts = k.counts.Plus(o.Record.Counts)
		switch {
		case o.Err != nil || o.Trouble != nil:
			k.failed++
		case o.Rules.Denied():
			k.denied++
		case o.Decision == plan.Waiting:
			k.waiting++
		case o.LockedBy != nil:
			k.locked++
		}
	}
}

// list returns the checks, with one for all plans together even if there are none.
func (c checks) list() (list []pulls.Check) {
	if c[""] == nil {
		c[""] = &check{}
	}
	for _, environment := range slices.Sorted(maps.Keys(c)) {
		list = append(list, pulls.Check{Environment: environment, Failed: c[environment].failed+c[environment].denied > 0, Text: c[environment].text()})
	}
	return list
}

// text is one line such as "3 to add, 1 to change, 2 to destroy".
func (c check) text() string {
	if c.targets == 0 {
		return "no targets"
	}
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, markdown.Comma(n)+" "+what)
		}
	}
	if c.failed > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s failed", markdown.Comma(c.failed), markdown.Count(c.targets, "target")))
	}
	add(c.denied, "denied")
	n := c.counts
	add(n.Adds(), "to add")
	add(n.Changes(), "to change")
	add(n.Destroys(), "to destroy")
	add(n.Import, "to import")
	add(n.Move, "to move")
	add(n.Forget, "to forget")
	switch {
	case len(parts) == 0 && n.Any():
		parts = append(parts, "only outputs or actions change")
	case len(parts) == 0 && c.waiting == 0:
		parts = append(parts, "no changes")
	}
	add(c.waiting, "waiting")
	add(c.locked, "locked")
	return strings.Join(parts, ", ")
}

// setChecks sets the commit statuses of the pull request's head. It also ends the failed status that
// another pull request's apply has set there, once everything was planned again. An error is only a
// warning: the plans are stored, and the apply doesn't depend on a status.
func (s *session) setChecks(ctx context.Context, f *planned) {
	whole := s.Component == "" && s.Selection.Empty() && len(s.Targets) == 0 && !s.MatrixOnly
	if s.pull.Number == 0 || s.Token == "" || !whole && len(f.stored) == 0 {
		return
	}
	p := pulls.Planned{PullRequest: s.pull.Number, Commit: s.commit, RunURL: s.context.RunURL, Targets: f.stored}
	if whole {
		p.Checks = f.checks.list()
	}
	err := s.pulls.SetChecks(ctx, s.stores, p)
	switch {
	case err == nil:
	case errors.Is(err, github.ErrPermission):
		s.Runtime.Notice(gha.Annotation{Message: fmt.Sprintf("This pull request has no check with the numbers of its plans: give this job `permissions: statuses: write`: %v", err)})
	default:
		s.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("The status %s of this pull request's head may be out of date: %v", pulls.StatusContext, err)})
	}
}
