package gitops

import (
	"slices"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// checkRoles is [inventory.RolesApart] for the whole file. Its error names the place.
func (c *Config) checkRoles() error {
	stores, roles := []artifactStorage{c.doc.ArtifactStorage}, []role{c.doc.Role}
	for _, name := range c.stackNames() {
		stores, roles = append(stores, c.doc.Stacks[name].ArtifactStorage), append(roles, c.doc.Stacks[name].Role)
	}
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		roles = append(roles, comp.Role)
		for _, s := range comp.Stacks {
			if s.in != nil {
				roles = append(roles, s.in.Role)
			}
		}
	}
	var store []text
	for _, s := range stores {
		store = append(store, s.Role.Plan, s.Role.Apply, s.Role.Drift)
	}
	for _, r := range roles {
		for _, t := range []text{r.Plan, r.Apply} {
			i := slices.IndexFunc(store, func(s text) bool { return s.value != "" && inventory.RoleKey(s.value) == inventory.RoleKey(t.value) })
			if i >= 0 {
				return problem.With(problem.Roles, c.fault(t.at, nil, "%v", inventory.SameRole(t.at.named(), store[i].at.named(), t.value)))
			}
		}
	}
	return nil
}
