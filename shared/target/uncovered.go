package target

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
)

// Uncovered are the folders of those changed files that are Terraform's and that no target's
// configuration holds, sorted. A root module that gitops.yaml does not list is such a folder,
// and nothing would plan it; so is a module that nothing calls. Names are relative to the
// checkout's root.
func Uncovered(ctx context.Context, c *Config, changed []string) ([]string, error) {
	suspects := make(map[string][]string)
	for _, name := range changed {
		if isConfiguration(path.Base(name)) && !isProduct(name) {
			suspects[path.Dir(name)] = append(suspects[path.Dir(name)], name)
		}
	}
	// Targets of one folder have its files in common: one of them tells.
	folders := make(map[string]Target)
	for _, r := range c.resolvers() {
		if t, err := r.target(); err == nil {
			folders[t.Dir] = t
			delete(suspects, t.Dir)
		}
	}
	if len(suspects) == 0 {
		return nil, nil // as nearly always: nothing is read
	}
	read, err := openFiles(ctx, c.checkout, nil)
	if err != nil {
		return nil, fmt.Errorf("find the target of %s: %w", changed[0], err)
	}
	for _, t := range folders {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		held, _ := read.of(t) // what can be read of it; its own error is told where it is planned
		for dir, names := range suspects {
			if names = slices.DeleteFunc(names, func(name string) bool { _, is := held.sums[name]; return is }); len(names) == 0 {
				delete(suspects, dir)
			} else {
				suspects[dir] = names
			}
		}
		if len(suspects) == 0 {
			break
		}
	}
	return slices.Sorted(maps.Keys(suspects)), nil
}
