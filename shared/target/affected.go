package target

import (
	"context"
	"fmt"
	"slices"
)

// Affected compares the targets of two checkouts of a repository, and lists those
// whose configuration differs, sorted by name: what [Target.Configuration] covers,
// with the version of Terraform as it is set. base may be nil: then all are new. Why
// they differ is cut after five lines.
//
// Where a target of head can't be planned, as when its folder is gone, that is the
// change's Err. One that could not be at base either, for the same reason, is only
// listed when something else of it differs.
//
// A new target that has the state of one that is gone (same folder, backend configuration and
// workspace) is that one under another name, which is then not listed as deleted.
//
// A submodule that only one of the checkouts has checked out differs.
func Affected(ctx context.Context, base, head *Config) ([]Change, error) {
	if base == nil {
		base = &Config{}
	}
	fail := func(err error) ([]Change, error) {
		return nil, fmt.Errorf("compare the targets with those at the base: %w", err)
	}
	var changes []Change
	before, after := named(base), named(head)
	was := make(map[string]Name) // by state: the targets that are gone
	for name, r := range before {
		if _, still := after[name]; !still {
			changes = append(changes, Change{Name: name, Why: []string{"deleted"}, Deleted: true, Settings: r.settings()})
			if t, err := r.target(); err == nil {
				was[t.stateKey()] = name
			}
		}
	}
	renamed := make(map[Name]bool)
	var then, is *files
	for name, r := range after {
		old, known := before[name]
		if !known {
			t, err := r.resolve()
			why := "new"
			if old, moved := was[t.stateKey()]; err == nil && moved {
				renamed[old], why = true, "renamed from "+old.String()
			}
			changes = append(changes, Change{Name: name, Why: []string{why}, Err: err})
			continue
		}
		if then == nil {
			var err error
			if then, err = openFiles(ctx, base.checkout, nil); err != nil {
				return fail(err)
			}
			if is, err = openFiles(ctx, head.checkout, nil); err != nil {
				return fail(err)
			}
		}
		if ctx.Err() != nil {
			return fail(context.Cause(ctx))
		}
		now := sideOf(r, is)
		why := now.differences(sideOf(old, then))
		if why == nil {
			continue
		}
		_, err := r.resolve() // which says where in gitops.yaml a fault is
		if err == nil {
			err = now.err
		}
		changes = append(changes, Change{Name: name, Why: why, Err: err})
	}
	changes = slices.DeleteFunc(changes, func(c Change) bool { return c.Deleted && renamed[c.Name] })
	sortChanges(changes)
	return changes, nil
}

func named(c *Config) map[Name]resolver {
	all := make(map[Name]resolver)
	for _, r := range c.resolvers() {
		all[Name{r.componentName, r.stackName}] = r
	}
	return all
}

// AllNew are all targets, as changes.
func AllNew(all []Listed) []Change {
	var changes []Change
	for _, t := range all {
		changes = append(changes, Change{Name: t.Name(), Why: []string{"new"}})
	}
	return changes
}

// WithDependents adds to changes the targets that depend on one of them, directly or
// not, sorted by name. Nothing is added for what is deleted.
func WithDependents(changes []Change, all []Listed) []Change {
	dependents := make(map[Name][]Name)
	for _, t := range all {
		for _, on := range t.DependsOn {
			dependents[on] = append(dependents[on], t.Name())
		}
	}
	known := make(map[Name]bool)
	for _, c := range changes {
		known[c.Name] = true
	}
	changes = slices.Clone(changes)
	for i := 0; i < len(changes); i++ { // it grows
		if changes[i].Deleted {
			continue
		}
		for _, name := range dependents[changes[i].Name] {
			if !known[name] {
				known[name] = true
				changes = append(changes, Change{Name: name, Why: []string{"depends on " + changes[i].Name.String()}})
			}
		}
	}
	sortChanges(changes)
	return changes
}

func sortChanges(changes []Change) {
	slices.SortFunc(changes, func(a, b Change) int { return a.Name.Compare(b.Name) })
}
