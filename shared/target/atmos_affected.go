package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
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
func (a Atmos) Affected(ctx context.Context, base string, head Stacks, dependents bool) ([]Change, error) {
	before, found, err := a.in(base)
	if err != nil {
		return nil, err
	}
	targets := head.Targets()
	if !found {
		return AllNew(targets), nil
	}
	was, err := before.Stacks(ctx)
	if err != nil {
		return nil, fmt.Errorf("at the base: %w", err)
	}
	fail := func(err error) ([]Change, error) {
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
	var changes []Change
	for _, t := range targets {
		if ctx.Err() != nil {
			return fail(context.Cause(ctx))
		}
		if old, known := was.described[t.Name()]; !known || !old.listed() {
			changes = append(changes, Change{Name: t.Name(), Why: []string{"new"}})
			continue
		}
		is := now.of(t.Name())
		if why := is.differences(then.of(t.Name())); why != nil {
			changes = append(changes, Change{Name: t.Name(), Why: why, Err: is.err})
		}
	}
	for _, t := range was.Targets() {
		if _, still := head.described[t.Name()]; !still {
			changes = append(changes, Change{Name: t.Name(), Why: []string{"deleted"}, Deleted: true, Settings: t.Settings})
		}
	}
	if dependents {
		return WithDependents(changes, targets), nil
	}
	sortChanges(changes)
	return changes, nil
}

// atmosSides makes what one checkout has of its targets.
type atmosSides struct {
	Stacks
	files  *files
	folder string // that the components' folders are in, for versions that do not list these
}

func (s Stacks) sides(ctx context.Context, base bool) (atmosSides, error) {
	sides := atmosSides{Stacks: s}
	co, err := openCheckout(s.atmos.Root)
	if err != nil {
		return sides, err
	}
	if sides.files, err = openCompared(ctx, co, nil, base); err != nil {
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
func (s atmosSides) of(name Name) side {
	d := s.described[name]
	a := s.atmos
	if d.Info.Path == "" {
		d.Info.Path = filepath.FromSlash(path.Join(s.folder, d.Component))
	}
	t := Target{Component: name.Component, Stack: name.Stack, Root: a.Root, Workspace: d.Workspace, Atmos: &AtmosComponent{resolved: a.resolved(d)}}
	settings := d.Settings.Integrations.GitHub.GitOps.settings()
	tool, version := "terraform", settings.TerraformVersion
	if strings.HasPrefix(filepath.Base(d.Command), "tofu") {
		tool, version = "tofu", settings.OpenTofuVersion
	}
	var err error
	if t.Dir, err = inCheckout(a.Root, absolute(a.Root, d.Info.Path)); err != nil {
		return side{err: err, settings: t.settings(tool, version)}
	}
	found, err := s.files.of(t)
	sums := found.sums
	for _, dependency := range d.dependencyPaths() {
		more, failed := s.files.outside(t.Dir, outwardPath{from: ".", path: dependency}, t.Dir, true)
		maps.Copy(sums, more.sums)
		err = errors.Join(err, failed)
	}
	err = errors.Join(err, s.files.addJobFiles(t, a.Env, sums))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // Atmos may bring the component as it runs
	}
	return side{sums: sums, settings: t.settings(tool, version), err: err}
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
func (a Atmos) in(root string) (Atmos, bool, error) {
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
	_, found, err := FindAtmos(root, "", other.Env)
	return other, found, err
}
