package gitops

import (
	"slices"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Targets lists all targets, sorted by name. It reads nothing of them on disk.
func (c *Config) Targets() []inventory.Listed { return slices.Clone(c.listed) }

// resolvers has one for each target, sorted by name.
func (c *Config) resolvers() []resolver {
	var all []resolver
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		for _, stack := range slices.Sorted(slices.Values(c.stacksOf(comp))) {
			all = append(all, c.resolver(name, stack))
		}
	}
	return all
}

func targetsByName(c *Config) map[inventory.Name]resolver {
	all := make(map[inventory.Name]resolver)
	for _, r := range c.resolvers() {
		all[inventory.Name{Component: r.componentName, Stack: r.stackName}] = r
	}
	return all
}
