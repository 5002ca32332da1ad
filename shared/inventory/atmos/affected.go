package atmos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Affected lists which of head's targets differ from those in a checkout of the base in
// the folder base, sorted by name; with dependents also those that depend on one. What
// Atmos has at the base and no more at head is deleted. Any failure of Atmos is an
// *[AtmosError].
//
// Atmos is asked for the stacks of both checkouts, and not for what is affected: `atmos
// describe affected` compares stacks with themselves where it finds no remote repository
// for the base, and says nothing of it. A target is affected when what its configuration
// digest covers differs, as with gitops.yaml, or a file or folder that its manifest names
// as a dependency.
func (a Project) Affected(ctx context.Context, base string, head Stacks, dependents bool) ([]inventory.Change, error) {
	before, found, err := a.in(base)
	if err != nil {
		return nil, err
	}
	targets := head.Targets()
	if !found {
		return inventory.AllNew(targets), nil
	}
	was, err := before.Stacks(ctx)
	if err != nil {
		return nil, fmt.Errorf("at the base: %w", err)
	}
	fail := func(err error) ([]inventory.Change, error) {
		return nil, fmt.Errorf("compare the targets with those at the base: %w", err)
	}
	then, err := was.sides(ctx, true)
	if err != nil {
		return fail(err)
	}
	now, err := head.sides(ctx, false)
	if err != nil {
		return fail(err)
	}
	var changes []inventory.Change
	for _, t := range targets {
		if ctx.Err() != nil {
			return fail(context.Cause(ctx))
		}
		if old, known := was.described[t.Name()]; !known || !old.listed() {
			changes = append(changes, inventory.Change{Name: t.Name(), Why: []string{"new"}})
			continue
		}
		is := now.of(t.Name())
		if why := is.Differences(then.of(t.Name())); why != nil {
			changes = append(changes, inventory.Change{Name: t.Name(), Why: why, Err: is.Err})
		}
	}
	for _, t := range was.Targets() {
		if _, still := head.described[t.Name()]; !still {
			changes = append(changes, inventory.Change{Name: t.Name(), Why: []string{"deleted"}, Deleted: true, Settings: t.Settings})
		}
	}
	if dependents {
		return inventory.WithDependents(changes, targets), nil
	}
	inventory.SortChanges(changes)
	return changes, nil
}

// sides makes what one checkout has of its targets.
type sides struct {
	Stacks
	files  *fingerprint.Files
	folder string // that the components' folders are in, for versions that do not list these
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
	// 1.196 says where a component lies only when it is asked for that one.
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

// of is what the checkout has of a target.
func (s sides) of(name inventory.Name) fingerprint.Side {
	d := s.described[name]
	a := s.atmos
	if d.Info.Path == "" {
		d.Info.Path = filepath.FromSlash(path.Join(s.folder, d.Component))
	}
	t := inventory.Target{
		Component: name.Component, Stack: name.Stack, Root: a.Root, Workspace: d.Workspace,
		Settings: d.Settings.Integrations.GitHub.GitOps.settings(),
		Atmos:    &inventory.AtmosComponent{Command: d.Command, Resolved: a.resolved(d)},
	}
	var err error
	if t.Dir, err = inCheckout(a.Root, absolute(a.Root, d.Info.Path)); err != nil {
		return fingerprint.Unread(t, err)
	}
	read := s.files.Side(t, a.Env, d.dependencyPaths()...)
	if errors.Is(read.Err, fs.ErrNotExist) {
		read.Err = nil // Atmos may bring the component as it runs
	}
	return read
}

// dependencyPaths are the files and folders that a component's manifest names as
// dependencies, relative to the root of the repository.
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

// in is Atmos in another checkout of the same repository, with the configuration that
// is there; false when there is none.
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
