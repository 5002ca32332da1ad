package gitops

import (
	"context"
	"fmt"
	"slices"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Uncovered are the folders of those changed files that are Terraform's and that no target's
// configuration holds, sorted. A root module that gitops.yaml does not list is such a folder,
// and nothing would plan it; so is a module that nothing calls. Names are relative to the
// checkout's root. What the top level of gitops.yaml ignores is not looked at.
func (c *Config) Uncovered(ctx context.Context, changed []string) ([]string, error) {
	var top inventory.Target
	for _, pattern := range c.doc.Ignore {
		top.Ignore = append(top.Ignore, pattern.value)
	}
	changed = slices.DeleteFunc(changed, func(name string) bool { return top.Ignores(".", name) })
	// Targets of one folder have its files in common: one of them tells.
	folders := make(map[string]inventory.Target)
	for _, r := range c.resolvers() {
		if t, err := r.target(); err == nil {
			folders[t.Dir] = t
		}
	}
	suspects := fingerprint.SuspectFolders(changed, func(folder string) bool { _, is := folders[folder]; return is })
	if len(suspects) == 0 {
		return nil, nil // as nearly always: nothing is read
	}
	read, err := fingerprint.OpenFiles(ctx, c.checkout, nil)
	if err != nil {
		return nil, fmt.Errorf("find the target of %s: %w", changed[0], err)
	}
	return suspects.Without(func(yield func(fingerprint.Side) bool) {
		for _, t := range folders {
			// What can be read of it: its own error is told where it is planned.
			if ctx.Err() != nil || !yield(read.Side(t, nil)) {
				return
			}
		}
	}), context.Cause(ctx)
}
