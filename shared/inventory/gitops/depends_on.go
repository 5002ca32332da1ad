package gitops

import (
	"errors"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// dependency is the target that an entry of depends-on means in a stack: a component in the same
// stack, or stack/component. It is false if the component is not in this stack: then there is
// nothing to wait for.
func (c *Config) dependency(entry, stack string) (inventory.Name, bool) {
	if c.doc.Components[entry].isIn(stack) {
		if _, is := c.doc.Components[entry]; is {
			return inventory.Name{Component: entry, Stack: stack}, true
		}
	}
	if others := c.elsewhere(entry); len(others) > 0 {
		return others[0], true
	}
	return inventory.Name{}, false
}

// elsewhere are the targets that stack/component may mean. Both names may have slashes.
func (c *Config) elsewhere(entry string) (all []inventory.Name) {
	for i, r := range entry {
		if r != '/' {
			continue
		}
		n := inventory.Name{Component: entry[i+1:], Stack: entry[:i]}
		if comp, is := c.doc.Components[n.Component]; is && !c.lacksStack(n.Stack) && comp.isIn(n.Stack) {
			all = append(all, n)
		}
	}
	return all
}

// checkDependency refuses an entry that means no target, or more than one.
func (c *Config) checkDependency(component string, entry text) error {
	_, is := c.doc.Components[entry.value]
	others := c.elsewhere(entry.value)
	switch {
	case len(others) > 1:
		return c.fault(entry.at, nil, "%s in depends-on of component %s may be %s or %s: give one of them another name", problem.Quote(entry.value), problem.Quote(component), others[0], others[1])
	case is || len(others) == 1:
		return nil
	}
	if stack, name, found := strings.Cut(entry.value, "/"); found && !c.lacksStack(stack) {
		var there []string
		for _, n := range c.componentNames() {
			if c.doc.Components[n].isIn(stack) {
				there = append(there, n)
			}
		}
		return c.fault(entry.at, nil, "unknown target %s in depends-on of component %s: stack %s has no component %s: %s", problem.Quote(entry.value), problem.Quote(component), problem.Quote(stack), problem.Quote(name), problem.Suggest(name, there))
	}
	return c.fault(entry.at, nil, "unknown component %s in depends-on of component %s: %s", problem.Quote(entry.value), problem.Quote(component), problem.Suggest(entry.value, c.componentNames()))
}

// orderTargets finds what each target waits for, and refuses a cycle.
func (c *Config) orderTargets() error {
	var all []inventory.Listed
	var names []inventory.Name
	destroyed := make(map[inventory.Name]resolver)
	for r := range c.resolvers() {
		if err := r.checkApprovals(); err != nil {
			return err
		}
		l := inventory.Listed{Component: r.componentName, Stack: r.stackName, Settings: r.settings(), DependsOn: r.dependencies(), Destroy: r.destroy().value}
		if l.Destroy {
			destroyed[l.Name()] = r
		}
		all, names = append(all, l), append(names, l.Name())
	}
	after := make(map[inventory.Name][]inventory.Name, len(all))
	for _, l := range all {
		after[l.Name()] = l.DependsOn
		for _, on := range l.DependsOn {
			if r, is := destroyed[on]; is && !l.Destroy {
				return c.fault(r.destroy().at, nil, "%s can't be destroyed while %s depends on it: destroy that, too, or remove the dependency", problem.Shorten(on.String()), problem.Shorten(l.Name().String()))
			}
		}
	}
	var cycle *inventory.CycleError
	if _, err := inventory.Order(names, after); errors.As(err, &cycle) {
		var shown []string
		for _, n := range cycle.Names {
			shown = append(shown, n.String())
		}
		return c.fault(c.dependencyAt(cycle.Names[0], cycle.Names[1]), nil, "depends-on makes a cycle: %s", arrows(shown))
	}
	inventory.DestroyFirst(all)
	c.listed, c.after = all, make(map[inventory.Name][]inventory.Name, len(all))
	for _, l := range all {
		c.after[l.Name()] = l.DependsOn
	}
	return nil
}

// dependencyAt is the place of the entry by which a target depends on another one.
func (c *Config) dependencyAt(from, to inventory.Name) place {
	for _, entry := range c.doc.Components[from.Component].DependsOn {
		if n, is := c.dependency(entry.value, from.Stack); is && n == to {
			return entry.at
		}
	}
	return c.doc.Components[from.Component].At
}

// dependencies are the targets that the target depends on, sorted.
func (r resolver) dependencies() (names []inventory.Name) {
	for _, entry := range r.comp.DependsOn {
		n, is := r.dependency(entry.value, r.stackName)
		if is && n != (inventory.Name{Component: r.componentName, Stack: r.stackName}) {
			names = append(names, n)
		}
	}
	slices.SortFunc(names, inventory.Name.Compare)
	return slices.Compact(names)
}

// destroy says whether everything that the target manages is to be destroyed.
func (r resolver) destroy() flag {
	if r.in != nil && r.in.Destroy.set {
		return r.in.Destroy
	}
	return r.comp.Destroy
}
