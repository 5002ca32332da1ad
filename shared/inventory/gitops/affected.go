package gitops

import (
	"context"
	"fmt"
	"slices"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Affected compares the targets of two checkouts, and lists those whose configuration differs,
// sorted by name: whatever [fingerprint.Of] covers, with the version of Terraform as it is
// configured. If base is nil, all are new. environ is the job's environment, which may give
// var files to Terraform.
//
// If a target of head can't be planned, as when its folder is missing, the change's Err says
// so. If it could not be planned at the base for the same reason, it is listed only if
// something else differs, too.
//
// A new target with the state of a deleted one (see [inventory.Target.StateKey]) is that one
// under another name, and the old name is not listed.
//
// Files are compared by Git's object IDs, so that filters and line endings in the workspace
// make no difference. A submodule that only one of the two has checked out differs.
func Affected(ctx context.Context, base, head *Config, environ []string) ([]inventory.Change, error) {
	if base == nil {
		base = &Config{}
	}
	fail := func(err error) ([]inventory.Change, error) {
		return nil, fmt.Errorf("compare the targets with those at the base: %w", err)
	}
	var changes []inventory.Change
	before, after := base.names(), head.names()
	gone := make(map[string]inventory.Name) // the deleted targets, by state
	for name := range before {
		if !after[name] {
			r := base.resolver(name.Component, name.Stack)
			changes = append(changes, inventory.Change{Name: name, Why: []string{"deleted"}, Deleted: true, Settings: r.settings()})
			if t, err := r.target(); err == nil {
				gone[t.StateKey()] = name
			}
		}
	}
	renamed := make(map[inventory.Name]bool)
	var was, is *fingerprint.Files
	if len(after) > 0 {
		var err error
		if is, err = fingerprint.OpenCompared(ctx, head.checkout, false, environ); err != nil {
			return fail(err)
		}
	}
	for name := range after {
		r := head.resolver(name.Component, name.Stack)
		if !before[name] {
			t, err := r.resolve()
			why := "new"
			if old, moved := gone[t.StateKey()]; err == nil && moved {
				renamed[old], why = true, "renamed from "+old.String()
			}
			if lacking := r.lacks(is); err != nil && lacking != nil {
				err = lacking
			}
			changes = append(changes, inventory.Change{Name: name, Why: []string{why}, Err: err})
			continue
		}
		if was == nil {
			var err error
			if was, err = fingerprint.OpenCompared(ctx, base.checkout, true, environ); err != nil {
				return fail(err)
			}
		}
		if ctx.Err() != nil {
			return fail(context.Cause(ctx))
		}
		now, then := sideOf(r, is, environ), sideOf(base.resolver(name.Component, name.Stack), was, environ)
		why := now.Differences(then)
		if why == nil {
			continue
		}
		t, failed := r.target()
		if failed == nil && is.LeftOut(t, now, then, was) {
			changes = append(changes, inventory.Change{Name: name, Outside: true})
			continue
		}
		_, err := r.resolve() // which says where in gitops.yaml a fault is
		if lacking := r.lacks(is); err != nil && lacking != nil {
			err = lacking
		}
		if err == nil {
			err = now.Err
		}
		changes = append(changes, inventory.Change{Name: name, Why: why, Err: err})
	}
	changes = slices.DeleteFunc(changes, func(c inventory.Change) bool { return c.Deleted && renamed[c.Name] })
	inventory.SortChanges(changes)
	return changes, nil
}

// lacks is the error of what the workspace lacks of a target; nil if it lacks nothing.
func (r resolver) lacks(f *fingerprint.Files) error {
	t, err := r.target()
	if err != nil {
		return nil //nolint:nilerr // resolve says it
	}
	if err := f.Lacks(t); err != nil {
		return fmt.Errorf("%s: %w", t.Name(), err)
	}
	return nil
}

func sideOf(r resolver, read *fingerprint.Files, environ []string) fingerprint.Side {
	t, err := r.target()
	if err != nil {
		return fingerprint.Side{Err: err}
	}
	return read.Side(t, environ)
}
