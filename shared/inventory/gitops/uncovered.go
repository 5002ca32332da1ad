package gitops

import (
	"context"
	"fmt"
	"slices"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Uncovered are the folders, sorted, with changed Terraform files that belong to no target:
// a root module that gitops.yaml does not list, which nobody would plan, or a module that
// nothing calls. Paths are relative to the checkout. Files that the top level of gitops.yaml
// ignores are left out.
func (c *Config) Uncovered(ctx context.Context, changed []string) ([]string, error) {
	var top inventory.Target
	for _, pattern := range c.doc.Ignore {
		top.Ignore = append(top.Ignore, pattern.value)
	}
	changed = slices.DeleteFunc(changed, func(name string) bool { return top.Ignores(".", name) })
	// Targets with the same root module folder share its files: one of them is enough.
	folders := make(map[string]inventory.Target)
	for r := range c.resolvers() {
		if t, err := r.target(); err == nil {
			folders[t.Dir] = t
		}
	}
	suspects := fingerprint.SuspectFolders(changed, func(folder string) bool { _, is := folders[folder]; return is })
	if len(suspects) == 0 {
		return nil, nil // nearly always, and then no file is read
	}
	read, err := fingerprint.OpenFiles(ctx, c.checkout, nil)
	if err != nil {
		return nil, fmt.Errorf("find the target of %s: %w", changed[0], err)
	}
	return suspects.Without(func(yield func(fingerprint.Side) bool) {
		for _, t := range folders {
			// What can't be read of it is an error when it is planned.
			if ctx.Err() != nil || !yield(read.Side(t, nil)) {
				return
			}
		}
	}), context.Cause(ctx)
}
