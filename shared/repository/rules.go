package repository

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// RuleChanges say how the rules for a target's plans differ between the workspace and the base of
// the pull request.
type RuleChanges struct {
	// Policies are the files that hold on one side only, or that differ, sorted.
	Policies []string
	// Settings are the keys of the settings that differ: approvals, policy.override, policy.path.
	Settings []string
	// Before are the policies that hold at the base; empty: none. Those that the
	// repository itself does not have are the workspace's, since nobody knows what they were.
	Before policy.Set
	// Untracked are the folders of policies that the repository itself does not have, such as those
	// of another repository, which a step before checks out.
	Untracked []string
}

// Any reports whether the rules differ.
func (c RuleChanges) Any() bool { return len(c.Policies)+len(c.Settings) > 0 }

// RuleChanges compares the rules for a target with those at the commit base. Git is asked once for
// all targets what differs. Only if that may concern rules, base is checked out into a temporary
// folder.
func (rp *Repository) RuleChanges(ctx context.Context, base string, t inventory.Target) (c RuleChanges, err error) {
	p := t.Settings.Policy
	all, err := rp.policyFiles(ctx, p.Path)
	if err != nil {
		return c, rp.placed(ctx, t.Name(), err)
	}
	now, err := all.heldBy(p)
	if err != nil {
		return c, rp.placed(ctx, t.Name(), err)
	}
	for _, f := range all {
		if !f.tracked && !slices.Contains(c.Untracked, f.root) && slices.ContainsFunc(now, func(held policy.File) bool { return held.Path == f.Path }) {
			c.Untracked = append(c.Untracked, f.root)
		}
	}
	then, err := rp.rulesAt(ctx, base, p.Path, len(now) > 0 || t.Settings.Approvals.Any())
	if err != nil {
		return c, fmt.Errorf("compare the policies and approvals with those at %s: %w", git.Short(base), err)
	}
	if then == nil {
		c.Before = now
		return c, nil
	}
	was, known := then.settings[t.Name()]
	if !known { // a new target, or the settings are the same
		was = t.Settings
	}
	files, err := then.files(was.Policy.Path)
	if err != nil {
		return c, err
	}
	here := all
	if pathsKey(was.Policy.Path) != pathsKey(p.Path) {
		c.Settings = append(c.Settings, "policy.path")
		if others, err := rp.policyFiles(ctx, was.Policy.Path); err == nil { // else nothing is there any more
			here = others
		}
	}
	for _, f := range here {
		if !f.tracked && !slices.ContainsFunc(files, func(b policyFile) bool { return b.Path == f.Path && b.root == f.root }) {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b policyFile) int { return strings.Compare(a.Path, b.Path) })
	// What an `include` names may not be there yet.
	was.Policy.Include = slices.DeleteFunc(slices.Clone(was.Policy.Include), func(pattern string) bool { return !files.has(pattern) })
	if c.Before, err = files.heldBy(was.Policy); err != nil {
		return c, err
	}
	c.Policies = differing(c.Before, now)
	if !reflect.DeepEqual(was.Approvals, t.Settings.Approvals) {
		c.Settings = append(c.Settings, "approvals")
	}
	if !slices.Equal(was.Policy.Override, p.Override) {
		c.Settings = append(c.Settings, "policy.override")
	}
	return c, nil
}

// ChangedPolicies are the files of policies that differ between the workspace and the commit base,
// whether they hold for a target or not. It is for a change that affects no target, so that nothing
// else says so.
func (rp *Repository) ChangedPolicies(ctx context.Context, base string, listed []inventory.Listed) ([]string, error) {
	var paths []string
	if len(listed) > 0 { // only the top level has them, so that they are the same for all
		paths = listed[0].Settings.Policy.Path
	}
	all, err := rp.policyFiles(ctx, paths)
	if err != nil {
		return nil, rp.placed(ctx, inventory.Name{}, err)
	}
	then, err := rp.rulesAt(ctx, base, paths, len(all) > 0)
	if err != nil || then == nil {
		return nil, err
	}
	files, err := then.files(paths)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(f policyFile) bool { return !f.tracked })
	return differing(files.set(), all.set()), nil
}

func (all policyFiles) set() (set policy.Set) {
	for _, f := range all {
		set = append(set, f.File)
	}
	return set
}

// differing are the paths of files that differ. What a test says changes no rule.
func differing(a, b policy.Set) (paths []string) {
	content, still := map[string][]byte{}, map[string]bool{}
	for _, f := range a.Evaluated() {
		content[f.Path] = f.Content
	}
	for _, f := range b.Evaluated() {
		before, is := content[f.Path]
		if !is || !bytes.Equal(before, f.Content) {
			paths = append(paths, f.Path)
		}
		still[f.Path] = true
	}
	for name := range content {
		if !still[name] {
			paths = append(paths, name)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// baseRules are the rules of a base.
type baseRules struct {
	settings map[inventory.Name]inventory.Settings // empty: the same as in the workspace
	found    map[string]policyFiles                // by their paths
	errors   map[string]error
}

func (b *baseRules) files(paths []string) (policyFiles, error) {
	key := pathsKey(paths)
	return slices.Clone(b.found[key]), b.errors[key]
}

// rulesAt reads the rules of a commit; nil if they are those of the workspace. governed says that
// there are rules in the workspace.
func (rp *Repository) rulesAt(ctx context.Context, commit string, paths []string, governed bool) (*baseRules, error) {
	return rp.bases.Get(fmt.Sprint(commit, governed, pathsKey(paths)), func() (*baseRules, error) {
		if !governed { // a removal of all rules is only noticed if that costs nothing
			if has, err := git.Has(ctx, rp.Context.Workspace, commit); err != nil || !has {
				return nil, err
			}
		}
		if err := rp.fetchBase(ctx, commit); err != nil {
			return nil, err
		}
		changed, err := git.Differing(ctx, rp.Context.Workspace, commit)
		if err != nil {
			return nil, problem.With(problem.Checkout, fmt.Errorf("list the files that differ from %s: %w", git.Short(commit), err))
		}
		settings, policies, err := rp.concern(ctx, commit, changed, paths, governed)
		if err != nil || !settings && !policies {
			return nil, err
		}
		rules := &baseRules{settings: map[inventory.Name]inventory.Settings{}, found: map[string]policyFiles{}, errors: map[string]error{}}
		return rules, rp.withBase(ctx, commit, func(dir string) error {
			all := [][]string{paths}
			if settings {
				listed, err := rp.listed.Get(commit, func() ([]inventory.Listed, error) { return rp.targets.listAt(ctx, dir) })
				if err != nil {
					return err
				}
				for _, l := range listed {
					rules.settings[l.Name()] = l.Settings
					all = append(all, l.Settings.Policy.Path)
				}
			}
			index, err := new(git.Tracked).Index(ctx, dir)
			if err != nil {
				return err
			}
			for _, paths := range all {
				key := pathsKey(paths)
				if _, done := rules.found[key]; !done {
					rules.found[key], rules.errors[key] = findPolicies(dir, paths, index, true)
				}
			}
			return nil
		})
	})
}

// concern reports whether changed files may change the settings of targets, or policies. With Atmos
// any manifest may. Atmos is asked for those at the base only if there are rules, or if it was asked
// before.
func (rp *Repository) concern(ctx context.Context, commit string, changed, paths []string, governed bool) (settings, policies bool, err error) {
	all, err := rp.policyFiles(ctx, paths)
	if err != nil {
		return false, false, err
	}
	if paths == nil {
		paths = []string{defaultPolicies}
	}
	for _, name := range changed {
		switch ext := path.Ext(name); {
		case name == path.Clean(rp.Source.Name), rp.atmos != nil && (governed || rp.listed.Has(commit)) && slices.Contains([]string{".yaml", ".yml", ".tmpl"}, ext):
			settings = true
		case ext == ".rego":
			policies = true
		}
		policies = policies || slices.ContainsFunc(paths, func(at string) bool { return lies(name, path.Clean(strings.Trim(at, "/"))) }) ||
			slices.ContainsFunc(all, func(f policyFile) bool { return f.resolved == name })
	}
	return settings, policies, nil
}

func (all policyFiles) has(pattern string) bool {
	return slices.ContainsFunc(all, func(f policyFile) bool { return f.main && inventory.MatchesFile(pattern, f.root, f.Path) })
}
