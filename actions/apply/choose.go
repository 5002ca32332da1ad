package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// chosen is a target and the plan that is meant for it.
type chosen struct {
	store  *planstore.Store
	stored planstore.Stored
	err    error // why there is none, or why it is refused
}

// choose decides which targets are meant: those that the merge affects, and those that
// a pull request which was merged planned. One that is affected and has no plan is among
// them, so that it is not left out without a word.
func (m *merge) choose(ctx context.Context, listed []inventory.Listed) (meant []inventory.Name, left []job.Left, err error) {
	var all []inventory.Name
	for _, l := range listed {
		all = append(all, l.Name())
	}
	if err := m.Selection.Check(all); err != nil {
		return nil, nil, err
	}
	if len(m.Targets) > 0 {
		return m.Targets, nil, nil
	}
	affected, err := m.affected(ctx)
	if err != nil {
		return nil, nil, err
	}
	if len(affected) > 0 {
		affected = slices.DeleteFunc(slices.Clone(affected), func(c inventory.Change) bool { return !m.Selection.Matches(c.Name) })
		left = m.repository.Left(ctx, affected, m.storageRole, m.Now)
	}
	for _, c := range affected {
		if !c.Deleted && !c.Outside {
			meant = append(meant, c.Name)
		}
	}
	planned, err := m.planned(ctx, listed)
	if err != nil {
		return nil, nil, err
	}
	out := func(n inventory.Name) bool { return !m.Selection.Matches(n) }
	meant = slices.SortedFunc(slices.Values(append(meant, planned...)), inventory.Name.Compare)
	return slices.DeleteFunc(slices.Compact(meant), out), left, nil
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
func (m *merge) storageRole(s inventory.Settings) string {
	if m.DryRun && s.DriftStorageRole != "" {
		return s.DriftStorageRole
	}
	return s.ApplyStorageRole
}

// lookups is how many plans are looked for at once.
const lookups = 16

// findAll finds the plan of each target.
func (m *merge) findAll(ctx context.Context, names []inventory.Name, settings map[inventory.Name]inventory.Settings) (map[inventory.Name]chosen, error) {
	plans := make(map[inventory.Name]chosen, len(names))
	var mu sync.Mutex
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(lookups)
	for _, n := range names {
		all.Go(func() error {
			s, ok := settings[n]
			var c chosen
			if !ok {
				c.err = fmt.Errorf("%s: %w in the merged commit", n, inventory.ErrUnknownTarget)
			} else if c.store, c.err = m.repository.StoreOf(ctx, s, m.storageRole(s), m.Now); c.err == nil {
				c.stored, c.err = m.find(ctx, c.store, n)
			}
			mu.Lock()
			defer mu.Unlock()
			plans[n] = c
			return ctx.Err()
		})
	}
	return plans, all.Wait()
}

// digest is one for all plans with changes: the SHA-256 over the names and digests of
// their planfiles.
func (f *fleet) digest() string {
	sum := sha256.New()
	for _, n := range slices.SortedFunc(maps.Keys(f.plans), inventory.Name.Compare) {
		if r := f.plans[n].stored.Record; r.Outcome == planstore.OutcomeChanges {
			fmt.Fprintf(sum, "%q %q %s\n", n.Component, n.Stack, r.ApprovalDigest())
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

const adviceOnDigest = "Look at what is to be applied now, approve that, and give its digest."

// checkExpected refuses another digest than the one that was approved.
func (m *merge) checkExpected(digest string) error {
	if m.ExpectedDigest == "" || m.ExpectedDigest == digest {
		return nil
	}
	return problem.With(problem.ExpectedDigest, fmt.Errorf("digest %s was approved (expected-digest), and that of what is to be applied is %s", m.ExpectedDigest, digest))
}
