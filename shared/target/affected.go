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
//
// Files are compared by Git's own object IDs, so that it makes no difference what Git
// makes of them in the workspace: see [files.compareObjects]. environ is the job's own,
// which may give var files to Terraform.
func Affected(ctx context.Context, base, head *Config, environ []string) ([]Change, error) {
	if base == nil {
		base = &Config{}
	}
	fail := func(err error) ([]Change, error) {
		return nil, fmt.Errorf("compare the targets with those at the base: %w", err)
	}
	var changes []Change
	before, after := targetsByName(base), targetsByName(head)
	gone := make(map[string]Name) // by state: the targets that are gone
	for name, r := range before {
		if _, still := after[name]; !still {
			changes = append(changes, Change{Name: name, Why: []string{"deleted"}, Deleted: true, Settings: r.settings()})
			if t, err := r.target(); err == nil {
				gone[t.stateKey()] = name
			}
		}
	}
	renamed := make(map[Name]bool)
	var was, is *files
	if len(after) > 0 {
		var err error
		if is, err = openCompared(ctx, head.checkout, head.given, false); err != nil {
			return fail(err)
		}
	}
	for name, r := range after {
		old, known := before[name]
		if !known {
			t, err := r.resolve()
			why := "new"
			if old, moved := gone[t.stateKey()]; err == nil && moved {
				renamed[old], why = true, "renamed from "+old.String()
			}
			if what := is.lackOf(r); err != nil && len(what) > 0 {
				err = fmt.Errorf("%s: %w", name, &LackingError{what})
			}
			changes = append(changes, Change{Name: name, Why: []string{why}, Err: err})
			continue
		}
		if was == nil {
			var err error
			if was, err = openCompared(ctx, base.checkout, base.given, true); err != nil {
				return fail(err)
			}
		}
		if ctx.Err() != nil {
			return fail(context.Cause(ctx))
		}
		now, then := sideOf(r, is, environ), sideOf(old, was, environ)
		why := now.differences(then)
		if why == nil {
			continue
		}
		if dir := then.dir; is.isOutside(r) && dir == now.dir && is.sameObjects(dir, then, was) && settingsEqual(now, then) {
			changes = append(changes, Change{Name: name, Outside: true})
			continue
		}
		_, err := r.resolve() // which says where in gitops.yaml a fault is
		if what := is.lackOf(r); err != nil && len(what) > 0 {
			err = fmt.Errorf("%s: %w", name, &LackingError{what})
		}
		if err == nil {
			err = now.err
		}
		changes = append(changes, Change{Name: name, Why: why, Err: err})
	}
	changes = slices.DeleteFunc(changes, func(c Change) bool { return c.Deleted && renamed[c.Name] })
	sortChanges(changes)
	return changes, nil
}

func targetsByName(c *Config) map[Name]resolver {
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
// not, sorted by name. Nothing is added for what is deleted or not affected.
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
		if changes[i].Deleted || changes[i].Outside {
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
