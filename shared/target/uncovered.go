package target

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
)

// Uncovered are the folders of those changed files that are Terraform's and that no target's
// configuration holds, sorted. A root module that gitops.yaml does not list is such a folder,
// and nothing would plan it; so is a module that nothing calls. Names are relative to the
// checkout's root. What the top level of gitops.yaml ignores is not looked at.
func (c *Config) Uncovered(ctx context.Context, changed []string) ([]string, error) {
	var top Target
	for _, pattern := range c.doc.Ignore {
		top.Ignore = append(top.Ignore, pattern.value)
	}
	changed = slices.DeleteFunc(changed, func(name string) bool { return top.ignores(".", name) })
	// Targets of one folder have its files in common: one of them tells.
	folders := make(map[string]Target)
	for _, r := range c.resolvers() {
		if t, err := r.target(); err == nil {
			folders[t.Dir] = t
		}
	}
	suspects := suspectFolders(changed, folders)
	if len(suspects) == 0 {
		return nil, nil // as nearly always: nothing is read
	}
	read, err := openFiles(ctx, c.checkout, nil)
	if err != nil {
		return nil, fmt.Errorf("find the target of %s: %w", changed[0], err)
	}
	return suspects.without(func(yield func(map[string]sum) bool) {
		for _, t := range folders {
			// What can be read of it: its own error is told where it is planned.
			if held, _ := read.of(t); ctx.Err() != nil || !yield(held.sums) {
				return
			}
		}
	}), context.Cause(ctx)
}

// Uncovered is [Config.Uncovered] of the components that stacks have.
func (s Stacks) Uncovered(ctx context.Context, changed []string) ([]string, error) {
	suspects := suspectFolders(changed, map[string]Target(nil))
	if len(suspects) == 0 {
		return nil, nil
	}
	sides, err := s.sides(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("find the target of %s: %w", changed[0], err)
	}
	components := make(map[string]Name)
	for name, d := range s.described {
		components[d.Component] = name
	}
	return suspects.without(func(yield func(map[string]sum) bool) {
		for _, name := range components {
			if held := sides.of(name); ctx.Err() != nil || !yield(held.sums) {
				return
			}
		}
	}), context.Cause(ctx)
}

// suspects are changed Terraform files by their folder.
type suspects map[string][]string

func suspectFolders(changed []string, known map[string]Target) suspects {
	all := make(suspects)
	for _, name := range changed {
		dir := path.Dir(name)
		if _, is := known[dir]; !is && isConfiguration(path.Base(name)) && !isProduct(name) {
			all[dir] = append(all[dir], name)
		}
	}
	return all
}

// without are the folders, sorted, of which none of the configurations holds all files.
func (s suspects) without(configurations iter.Seq[map[string]sum]) []string {
	for held := range configurations {
		holds := func(name string) bool {
			_, is := held[name]
			for at := range len(name) { // a folder that counts as one
				if !is && name[at] == '/' {
					_, is = held[name[:at+1]]
				}
			}
			_, all := held["./"]
			return is || all
		}
		for dir, names := range s {
			if s[dir] = slices.DeleteFunc(names, holds); len(s[dir]) == 0 {
				delete(s, dir)
			}
		}
		if len(s) == 0 {
			break
		}
	}
	return slices.Sorted(maps.Keys(s))
}
