package main

import (
	"context"
	"slices"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// chosen are the targets that are meant.
type chosen struct {
	names    []inventory.Name
	left     []repository.Left // that are no longer in Git
	depends  map[inventory.Name][]inventory.Name
	settings map[inventory.Name]inventory.Effective // nil for a target that is named: its job knows them
}

// choose decides which targets are meant: the one that the inputs name, or else those that
// the merge affects and those that a merged pull request planned. A target that is affected
// and has no plan is among them, so that it is not left out without a word.
func (m *merge) choose(ctx context.Context) (c chosen, err error) {
	if m.Component != "" {
		return chosen{names: []inventory.Name{{Component: m.Component, Stack: m.Stack}}}, nil
	}
	listed, err := m.repository.Targets(ctx)
	if err != nil {
		return c, err
	}
	c.settings, c.depends = map[inventory.Name]inventory.Effective{}, map[inventory.Name][]inventory.Name{}
	var all []inventory.Name
	for _, l := range listed {
		all = append(all, l.Name())
		c.settings[l.Name()], c.depends[l.Name()] = m.repository.Effective(l.Settings), l.DependsOn
	}
	if err := m.Selection.Check(all); err != nil {
		return c, err
	}
	if len(m.Targets) > 0 {
		c.names = m.Targets
		return c, nil
	}
	affected, err := m.affected(ctx)
	if err != nil {
		return c, err
	}
	if len(affected) > 0 {
		affected = slices.DeleteFunc(slices.Clone(affected), func(change inventory.Change) bool { return !m.Selection.Matches(change.Name) })
		c.left = m.repository.Left(ctx, affected, m.storageRole, m.Now)
	}
	for _, change := range affected {
		if !change.Deleted && !change.Outside {
			c.names = append(c.names, change.Name)
		}
	}
	planned, err := m.planned(ctx, listed)
	if err != nil {
		return c, err
	}
	out := func(n inventory.Name) bool { return !m.Selection.Matches(n) }
	c.names = slices.SortedFunc(slices.Values(append(c.names, planned...)), inventory.Name.Compare)
	c.names = slices.DeleteFunc(slices.Compact(c.names), out)
	return c, nil
}

// affected are the targets that the merge affects; none where there is nothing before it.
func (m *merge) affected(ctx context.Context) ([]inventory.Change, error) {
	m.compared.Do(func() {
		if base := m.base(); base != "" {
			m.changes, m.failure = m.repository.Affected(ctx, base, false)
		}
	})
	return m.changes, m.failure
}

// anew says why a target is planned again before its plan is applied; empty: it is not. A
// plan of one that the merge does not affect was reviewed by nobody who looked at what was
// merged: a planner could have stored it beside that of another target.
//
// With verification: replan all are planned again, but for one that waits, whose first plan
// nobody reviews: there it is asked all the same.
func (m *merge) anew(ctx context.Context, t inventory.Target, record planstore.Record) string {
	waits := record.Outcome == planstore.OutcomeWaiting
	asked := waits || record.Outcome == planstore.OutcomeChanges && m.Verification != apply.Replan
	base := m.base()
	if base == "" || !asked {
		return ""
	}
	affected := false
	var err error
	if m.Component != "" {
		affected, err = m.repository.IsAffected(ctx, base, t)
	} else {
		var changes []inventory.Change
		changes, err = m.affected(ctx)
		affected = slices.ContainsFunc(changes, func(c inventory.Change) bool { return c.Name == t.Name() })
	}
	switch {
	case err != nil:
		return "whether the merge affects it can't be seen: " + problem.Text(err)
	case affected:
		return ""
	}
	return "the merge does not affect it"
}

// base is the commit before the merge; empty for a first commit. A push may hold several
// merges.
func (m *merge) base() string {
	switch {
	case m.event.Push != nil:
		return m.event.Push.Before
	case len(m.checkout.Parents) > 0:
		return m.checkout.Parents[0]
	}
	return ""
}

// planned are the targets that have a plan of a commit that is meant.
func (m *merge) planned(ctx context.Context, listed []inventory.Listed) (names []inventory.Name, err error) {
	heads, err := m.mergedHeads(ctx)
	if err != nil {
		return nil, err
	}
	stores, err := m.repository.Stores(ctx, listed, m.storageRole, m.Now)
	if err != nil {
		return nil, err
	}
	known := map[inventory.Name]bool{}
	for _, l := range listed {
		known[l.Name()] = true
	}
	for _, store := range stores {
		for _, h := range heads {
			plans, err := store.PlansOfPullRequest(ctx, m.context.Repository, h.number)
			if err != nil {
				return nil, err
			}
			for _, p := range plans {
				n := inventory.Name{Component: p.Target.Component, Stack: p.Target.Stack}
				if (p.Commit == h.commit || p.Commit == h.merged || p.Commit == m.commit || p.Commit == m.SHA) && known[n] {
					names = append(names, n)
				}
			}
		}
	}
	return names, nil
}

// storageRole is the role that opens the plan store. A dry run reads no planfile, and runs
// before anybody has approved anything: it makes do with what drift detection has.
func (m *merge) storageRole(s inventory.Effective) string {
	if m.DryRun && s.DriftStorageRole != "" {
		return s.DriftStorageRole
	}
	return s.ApplyStorageRole
}
