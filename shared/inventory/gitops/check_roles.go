package gitops

import (
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
	store := map[string]text{} // by key, the first of each
	for _, s := range stores {
		for _, t := range []text{s.Role.Plan, s.Role.Apply, s.Role.Drift} {
			if key := inventory.RoleKey(t.value); t.value != "" && !store[key].set {
				store[key] = t
			}
		}
	}
	for _, r := range roles {
		for _, t := range []text{r.Plan, r.Apply} {
			if same, is := store[inventory.RoleKey(t.value)]; is {
				return problem.With(problem.Roles, c.fault(t.at, nil, "%v", inventory.SameRole(t.at.named(), same.at.named(), t.value)))
			}
		}
	}
	return nil
}
