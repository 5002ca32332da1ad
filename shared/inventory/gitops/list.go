package gitops

import (
	"iter"
	"slices"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Targets lists all targets, sorted by name. It reads nothing of them on disk.
func (c *Config) Targets() []inventory.Listed { return slices.Clone(c.listed) }

// resolvers has one for each target, sorted by name. Each one takes some KB, so they are not kept.
func (c *Config) resolvers() iter.Seq[resolver] {
	return func(yield func(resolver) bool) {
		for _, name := range c.componentNames() {
			comp := c.doc.Components[name]
			for _, stack := range slices.Sorted(slices.Values(c.stacksOf(comp))) {
				if !yield(c.resolver(name, stack)) {
					return
				}
			}
		}
	}
}

// names has the name of each target.
func (c *Config) names() map[inventory.Name]bool {
	all := make(map[inventory.Name]bool)
	for r := range c.resolvers() {
		all[inventory.Name{Component: r.componentName, Stack: r.stackName}] = true
	}
	return all
}
