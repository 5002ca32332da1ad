package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/fleet"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// chosen are the targets to plan.
type chosen struct {
	changes   []inventory.Change
	names     []inventory.Name // the targets in changes that have to be planned
	depends   map[inventory.Name][]inventory.Name
	uncovered []string // folders with changed Terraform files that belong to no target
	policies  []string // files of policies that changed, if no target is planned
}

// choose chooses the targets. It doesn't look up a target that the inputs name in the list of all
// targets: with Atmos, that list takes a description of all stacks.
func (s *session) choose(ctx context.Context) (c chosen, err error) {
	if s.Component != "" {
		one := inventory.Name{Component: s.Component, Stack: s.Stack}
		return chosen{changes: []inventory.Change{{Name: one}}, names: []inventory.Name{one}}, nil
	}
	listed, err := s.repository.Targets(ctx)
	if err != nil {
		return c, err
	}
	c.depends = make(map[inventory.Name][]inventory.Name, len(listed))
	var all []inventory.Name
	for _, l := range listed {
		all = append(all, l.Name())
		c.depends[l.Name()] = l.DependsOn
	}
	if err := s.Selection.Check(all); err != nil {
		return c, err
	}
	named := func(names []inventory.Name) (changes []inventory.Change) {
		for _, n := range names {
			changes = append(changes, inventory.Change{Name: n})
		}
		return changes
	}
	base := "" // nothing is compared
	switch {
	case len(s.Targets) > 0:
		c.changes = named(s.Targets)
	case s.All || s.Drift:
		c.changes = named(all)
	default:
		if base, err = s.base(ctx); err != nil {
			return c, err
		}
		if c.changes, err = s.repository.Affected(ctx, base, s.Dependents); err != nil {
			return c, err
		}
		if c.uncovered, err = s.repository.Uncovered(ctx, base); err != nil {
			return c, err
		}
	}
	c.changes = slices.DeleteFunc(c.changes, func(change inventory.Change) bool { return !s.Selection.Matches(change.Name) })
	for _, change := range c.changes {
		if !change.Deleted && !change.Outside && change.Skip == "" && change.Err == nil {
			c.names = append(c.names, change.Name)
		}
	}
	if len(c.names) == 0 && base != "" && s.pull.Number > 0 {
		if c.policies, err = s.repository.ChangedPolicies(ctx, base, listed); err != nil {
			return c, err
		}
	}
	return c, nil
}

// nodes returns the targets to plan, with dependencies first. No target waits until another one has
// ended: see plan.Positions.
func (c chosen) nodes() ([]inventory.Node, error) {
	nodes, err := inventory.Order(c.names, c.depends)
	for i := range nodes {
		nodes[i].After = nil
	}
	return nodes, err
}

// left returns the targets that are no longer in Git and may have left infrastructure behind. A job
// with matrix-only may have no credentials, so it doesn't ask the plan store.
func (s *session) left(ctx context.Context, changes []inventory.Change) (left []repository.Left) {
	if !s.MatrixOnly {
		return s.repository.Left(ctx, changes, s.storageRole, s.Now)
	}
	for _, c := range changes {
		if c.Deleted {
			left = append(left, repository.Left{Name: c.Name, Unchecked: errors.New("matrix-only asks no plan store")})
		}
	}
	return left
}

// warnOfForgotten warns if settings of Atmos leave out all that the change affects, since they say
// nothing about these actions.
func (s *session) warnOfForgotten(changes []inventory.Change) {
	var names []inventory.Name
	for _, c := range changes {
		if c.Skip == "" {
			return
		}
		names = append(names, c.Name)
	}
	if len(names) > 0 {
		s.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("Nothing is planned: all that this change affects is skipped, since its settings do not turn these actions on: %s. "+
			"Set settings.github.actions_enabled: true for these components, or settings.github.actions_enabled_default: true for all stacks.", fleet.Names(names))})
	}
}

// warnOfPolicies warns that the pull request changes policies, and nothing shows what they say now.
func (s *session) warnOfPolicies(files []string) {
	if len(files) > 0 {
		s.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("This pull request changes policies and affects no target, so they were evaluated on no plan: %s. To see what they say, run the plan workflow on its branch with `all: true`.", strings.Join(files, ", "))})
	}
}

// warnOfUncovered warns that no target plans the files in a folder.
func (s *session) warnOfUncovered(folder string) {
	s.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("Terraform files changed in %s, and no target covers this folder: nothing plans it. If it is a root module, add it to gitops.yaml as a component with `path: %[1]s`, have `discover` find it, or add it to a stack of Atmos.", folder)})
}
