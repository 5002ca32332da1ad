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

// chosen are the targets to apply.
type chosen struct {
	names    []inventory.Name
	left     []repository.Left // targets that are no longer in Git
	depends  map[inventory.Name][]inventory.Name
	settings map[inventory.Name]inventory.Effective // nil for the inputs' target, whose settings are read later
}

// choose chooses the target of the inputs. Without that, it chooses the targets that the merge affects
// and those that a merged pull request has planned. An affected target without a plan is included,
// so that its missing plan is reported.
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
		if !change.Deleted && !change.Outside && change.Skip == "" {
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

// affected returns the targets that the merge affects. It returns none if there is no commit before.
func (m *merge) affected(ctx context.Context) ([]inventory.Change, error) {
	m.compared.Do(func() {
		if base := m.base(); base != "" {
			m.changes, m.failure = m.repository.Affected(ctx, base, false)
		}
	})
	return m.changes, m.failure
}

// anew says why a target must be planned again before its plan is applied. It returns an empty text
// if that is not needed. If the merge doesn't affect the target, nobody has reviewed a change of it:
// a planner could have stored its plan beside another target's.
//
// With verification: replan, every target is planned again anyway. The exception is a target that
// waits, whose first plan nobody reviews.
func (m *merge) anew(ctx context.Context, t inventory.Target, record planstore.Record) string {
	waits := record.Outcome == planstore.OutcomeWaiting
	asked := waits || record.Outcome == planstore.OutcomeChanges && m.Verification != apply.Replan
	base := m.base()
	if base == "" || !asked {
		return ""
	}
	affected, err := m.affects(ctx, base, t)
	switch {
	case err != nil:
		return "whether the merge affects it can't be seen: " + problem.Text(err)
	case affected:
		return ""
	}
	return "the merge does not affect it"
}

// affects reports whether the merge after the commit base affects a target.
func (m *merge) affects(ctx context.Context, base string, t inventory.Target) (bool, error) {
	if m.Component != "" {
		return m.repository.IsAffected(ctx, base, t)
	}
	changes, err := m.affected(ctx)
	return slices.ContainsFunc(changes, func(c inventory.Change) bool { return c.Name == t.Name() }), err
}

// base returns the commit before the merge, or before the first merge of a push. It is empty for a
// repository's first commit.
func (m *merge) base() string {
	switch {
	case m.event.Push != nil:
		return m.event.Push.Before
	case len(m.checkout.Parents) > 0:
		return m.checkout.Parents[0]
	}
	return ""
}

// planned returns the targets that have a plan of one of the possible commits.
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

// storageRole returns the role that opens the plan store. A dry run reads no planfiles and runs before
// an approval, so it uses the weaker role of drift detection.
func (m *merge) storageRole(s inventory.Effective) string {
	if m.DryRun && s.DriftStorageRole != "" {
		return s.DriftStorageRole
	}
	return s.ApplyStorageRole
}
