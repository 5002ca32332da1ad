package atmos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Affected lists the targets of head that differ from the base, which is checked out in the
// folder base, sorted by name; and those of the base. A target that only the base has is deleted, unless a new target
// has its state: then it is renamed. If none is affected, those are listed that are skipped since
// their settings forget the actions. Any failure of Atmos is an *[Error].
//
// Atmos lists the stacks of both checkouts. `atmos describe affected` is not used: if it finds
// no remote repository for the base, it compares stacks with themselves, and does not say
// so. A target is affected if anything differs that its configuration digest covers, or a
// file or folder that its manifest names as a dependency.
func (a Project) Affected(ctx context.Context, base string, head Stacks) (changes []inventory.Change, before []inventory.Listed, err error) {
	was, found, err := a.StacksAt(ctx, base)
	if err != nil {
		return nil, nil, err
	}
	targets := head.Targets()
	if !found {
		return inventory.AllNew(targets), nil, nil
	}
	before = was.Targets()
	fail := func(err error) ([]inventory.Change, []inventory.Listed, error) {
		return nil, nil, fmt.Errorf("compare the targets with those at the base: %w", err)
	}
	then, err := was.sides(ctx, true)
	if err != nil {
		return fail(err)
	}
	now, err := head.sides(ctx, false)
	if err != nil {
		return fail(err)
	}
	var gone []inventory.Listed
	for _, t := range before {
		if _, still := head.described[t.Name()]; !still {
			gone = append(gone, t)
		}
	}
	for _, t := range targets {
		if ctx.Err() != nil {
			return fail(context.Cause(ctx))
		}
		if old, known := was.described[t.Name()]; !known || !old.listed() {
			why := "new"
			if !known {
				i, err := now.renamedFrom(ctx, t, then, gone)
				if err != nil {
					return fail(err)
				}
				if i >= 0 {
					why = "renamed from " + gone[i].Name().String()
					gone = slices.Delete(gone, i, i+1)
				}
			}
			changes = append(changes, inventory.Change{Name: t.Name(), Why: []string{why}})
			continue
		}
		is, old := now.of(t.Name()), then.of(t.Name())
		why, at := is.Differences(old), now.target(t.Name())
		switch {
		case why == nil:
		case now.files.LeftOut(at, is, old, then.files):
			changes = append(changes, inventory.Change{Name: t.Name(), Outside: true})
		default:
			err := is.Err
			if lacking := now.files.Lacks(at); lacking != nil {
				err = fmt.Errorf("%s: %w", t.Name(), lacking)
			}
			changes = append(changes, inventory.Change{Name: t.Name(), Why: why, Err: err})
		}
	}
	for _, t := range gone {
		changes = append(changes, inventory.Change{Name: t.Name(), Why: []string{"deleted"}, Deleted: true, Settings: t.Settings})
	}
	if len(changes) == 0 {
		changes = now.forgotten(then)
	}
	inventory.SortChanges(changes)
	return changes, before, context.Cause(ctx)
}

// StacksAt is [Project.Stacks] for another commit, which is checked out in the folder base. It is not
// found if there is no Atmos.
func (a Project) StacksAt(ctx context.Context, base string) (was Stacks, found bool, err error) {
	before, found, err := a.in(base)
	if err != nil || !found {
		return Stacks{}, found, err
	}
	if was, err = before.Stacks(ctx); err != nil {
		return Stacks{}, true, fmt.Errorf("at the base: %w", err)
	}
	return was, true, nil
}

// forgotten are the components that differ, and that are skipped since no setting turns the actions
// on for them.
func (s sides) forgotten(then sides) (changes []inventory.Change) {
	for name, d := range s.described {
		if !d.forgotten() {
			continue
		}
		why := []string{"new"}
		if _, known := then.described[name]; known {
			why = s.of(name).Differences(then.of(name))
		}
		if why != nil {
			changes = append(changes, inventory.Change{Name: name, Why: why, Skip: notEnabled})
		}
	}
	return changes
}

// sides are the targets of one of two checkouts, with their files.
type sides struct {
	Stacks
	files  *fingerprint.Files
	folder string // of all components, if this version does not list where each is
}

func (s Stacks) sides(ctx context.Context, base bool) (sides, error) {
	sides := sides{Stacks: s}
	co, err := checkout.Open(s.atmos.Root)
	if err != nil {
		return sides, err
	}
	if sides.files, err = fingerprint.OpenCompared(ctx, co, base, s.atmos.Env); err != nil {
		return sides, err
	}
	// Atmos 1.196 says where a component is only if it is asked for that component alone.
	for _, t := range s.Targets() {
		if s.described[t.Name()].Info.Path != "" {
			continue
		}
		d, err := s.atmos.list(ctx, s.version, t.Name())
		if err != nil {
			return sides, err
		}
		if d.Info.Path == "" {
			return sides, s.atmos.lacks(s.version, t.Name(), "component_info.component_path")
		}
		folder, ok := strings.CutSuffix(filepath.ToSlash(absolute(s.atmos.Root, d.Info.Path)), "/"+d.Component)
		if !ok {
			return sides, s.atmos.lacks(s.version, t.Name(), "component_info.component_path in the folder of all components")
		}
		sides.folder = folder
		break
	}
	return sides, nil
}

// target is a target with what the list says of it. Its folder is empty if it is outside of
// the checkout.
func (s sides) target(name inventory.Name) inventory.Target {
	d := s.described[name]
	a := s.atmos
	t := inventory.Target{
		Component: name.Component, Stack: name.Stack, Root: a.Root, Workspace: d.Workspace,
		Settings: d.Settings.Integrations.GitHub.GitOps.settings(), Destroy: d.Settings.Integrations.GitHub.GitOps.Destroy,
		Atmos: &inventory.AtmosComponent{Command: d.Command, Resolved: a.resolved(d)},
	}
	t.Dir, _ = s.dir(d) // of says why
	return t
}

func (s sides) dir(d description) (string, error) {
	path := d.Info.Path
	if path == "" {
		path = filepath.Join(filepath.FromSlash(s.folder), filepath.FromSlash(d.Component))
	}
	return inCheckout(s.atmos.Root, absolute(s.atmos.Root, path))
}

// of is what the checkout has of a target.
func (s sides) of(name inventory.Name) fingerprint.Side {
	t, d := s.target(name), s.described[name]
	if _, err := s.dir(d); err != nil {
		return fingerprint.Unread(t, err)
	}
	read := s.files.Side(t, s.atmos.Env, d.dependencyPaths()...)
	if errors.Is(read.Err, fs.ErrNotExist) {
		read.Err = nil // Atmos may fetch the component when it runs it
	}
	return read
}

// renamedFrom finds the deleted target that had the state of a new target; -1 if there is
// none. The workspace in a list is not the one that Terraform gets, so Atmos is asked for
// both targets if everything else is equal.
func (s sides) renamedFrom(ctx context.Context, t inventory.Listed, then sides, gone []inventory.Listed) (int, error) {
	state := func(s sides, name inventory.Name, d description) string {
		t := s.target(name)
		t.Workspace = ""
		return canonical([]any{t.StateKey(), d.BackendType, d.Backend, d.Env})
	}
	for i, old := range gone {
		if state(s, t.Name(), s.described[t.Name()]) != state(then, old.Name(), then.described[old.Name()]) {
			continue
		}
		is, err := s.atmos.list(ctx, s.version, t.Name())
		if err != nil {
			return -1, err
		}
		was, err := then.atmos.list(ctx, then.version, old.Name())
		if err != nil {
			return -1, err
		}
		if is.Workspace == was.Workspace && state(s, t.Name(), is) == state(then, old.Name(), was) {
			return i, nil
		}
	}
	return -1, nil
}

// dependencyPaths are the files and folders that a manifest names as dependencies, relative to
// the checkout.
func (d description) dependencyPaths() []string {
	all := slices.Concat([]string(d.Dependencies.Files), []string(d.Dependencies.Folders))
	for _, entry := range slices.Concat(d.Settings.DependsOn, d.Dependencies.Components) {
		if entry.Kind == "file" || entry.Kind == "folder" {
			all = append(all, entry.Path)
		}
		all = append(all, entry.File, entry.Folder)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(path string) bool { return path == "" })
}

// in is the project in another checkout of the repository; false if there is no atmos.yaml.
func (a Project) in(root string) (Project, bool, error) {
	other := a
	other.Root, other.Env = root, nil
	for _, entry := range a.Env {
		name, value, _ := strings.Cut(entry, "=")
		if name == "ATMOS_CLI_CONFIG_PATH" || name == "ATMOS_BASE_PATH" {
			if rel, err := filepath.Rel(a.Root, value); err == nil && filepath.IsLocal(rel) {
				entry = name + "=" + filepath.Join(root, rel)
			}
		}
		other.Env = append(other.Env, entry)
	}
	_, found, err := Find(root, "", other.Env)
	return other, found, err
}
