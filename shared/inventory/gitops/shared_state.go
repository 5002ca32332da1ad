package gitops

import (
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// maxResolved limits how many targets, list items and variables there are once all targets
// are resolved, since there are components times stacks of them. 10,000 targets with twenty
// items each have a fifth of it.
const maxResolved = 1_000_000

// checkStates refuses two targets that have the same state, since the plan of one would
// replace the other's infrastructure. That happens easily: it is enough to give a stack var
// files, and no workspace or backend-config of its own. See [inventory.Target.StateKey].
func (c *Config) checkStates() error {
	total := 0
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		for _, stackName := range c.stacksOf(comp) {
			total += 1 + len(comp.DependsOn)
			for _, l := range c.resolver(name, stackName).layers() {
				total += len(l.VarFiles) + len(l.BackendConfig) + len(l.Env)
			}
			if total > maxResolved {
				return c.fault(comp.At, nil, "components times stacks make more than %d targets, list items and variables", maxResolved)
			}
		}
	}
	owners := make(map[string]inventory.Target)
	c.given, c.targets = make(map[string]bool), make(map[string]int)
	for _, componentName := range c.componentNames() {
		comp := c.doc.Components[componentName]
		for _, stackName := range c.stacksOf(comp) {
			t, err := c.resolver(componentName, stackName).target()
			if err == nil {
				err = c.checkIdentities(comp, t)
			}
			if err != nil {
				return err
			}
			c.targets[t.Dir]++
			if c.found[t.Dir] {
				c.discovery.Found = append(c.discovery.Found, Discovered{t.Name(), t.Dir})
			}
			for _, name := range t.Files() {
				c.given[name] = true
			}
			key := t.StateKey()
			if other, taken := owners[key]; taken {
				return c.fault(comp.At, nil, "%s and %s would share one state: both are %s with the same workspace and backend-config: set a `workspace` or `backend-config` that differs, for example with {stack}",
					problem.Shorten(other.String()), problem.Shorten(t.String()), problem.Quote(t.Dir))
			}
			owners[key] = t
		}
	}
	return nil
}
