package gitops

import (
	"maps"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// check finds what is wrong in a document that is decoded: names, placeholders, references
// between components and stacks.
func (c *Config) check() error {
	if v := c.doc.OpenTofuVersion; v.set && c.doc.TerraformVersion.set {
		return c.fault(v.at, nil, "%s and `terraform-version` exclude each other: keep the one that is used", v.at.named())
	}
	if err := c.checkTemplates(); err != nil {
		return err
	}
	for _, name := range c.stackNames() {
		if err := c.checkName("stack", name, c.doc.Stacks[name].At); err != nil {
			return err
		}
	}
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		if err := c.checkName("component", name, comp.At); err != nil {
			return err
		}
		for _, stack := range comp.Stacks {
			if s := stack.name; c.lacksStack(s.value) {
				return c.fault(s.at, nil, "unknown stack %s in stacks of component %s: %s", problem.Quote(s.value), problem.Quote(name), problem.Suggest(s.value, c.stackNames()))
			}
		}
		for _, dep := range comp.DependsOn {
			if err := c.checkDependency(name, dep); err != nil {
				return err
			}
		}
	}
	if err := c.checkRoles(); err != nil {
		return err
	}
	if err := c.checkCycles(); err != nil {
		return err
	}
	if err := c.checkStates(); err != nil {
		return err
	}
	return c.orderTargets()
}

func (c *Config) lacksStack(name string) bool {
	_, is := c.doc.Stacks[name]
	return !is
}

func (c *Config) checkName(kind, name string, at place) error {
	switch {
	case name == "":
		return c.fault(at, nil, "a %s needs a name", kind)
	case len(name) > inventory.MaxName:
		return c.fault(at, nil, "the name of %s %s has %d bytes: at most %d", kind, problem.Quote(name), len(name), inventory.MaxName)
	case !inventory.IsPrintable(name):
		return c.fault(at, nil, "the name of %s %s has characters that can't be printed", kind, problem.Quote(name))
	}
	return nil
}

func (c *Config) checkTemplates() error {
	if err := c.checkLayer(c.doc.Path, c.doc.layer); err != nil {
		return err
	}
	if err := c.checkGlobs(c.doc.Ignore); err != nil {
		return err
	}
	if err := c.checkPolicy(); err != nil {
		return err
	}
	for _, name := range c.stackNames() {
		if err := c.checkLayer(text{}, c.doc.Stacks[name].layer); err != nil {
			return err
		}
	}
	for _, name := range c.componentNames() {
		if err := c.checkLayer(c.doc.Components[name].Path, c.doc.Components[name].layer); err != nil {
			return err
		}
		if err := c.checkGlobs(c.doc.Components[name].Ignore); err != nil {
			return err
		}
		for _, s := range c.doc.Components[name].Stacks {
			if s.in == nil {
				continue
			}
			if err := c.checkLayer(text{}, s.in.layer); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkGlobs refuses what is no glob, and a glob that matches everything.
func (c *Config) checkGlobs(patterns []text) error {
	for _, p := range patterns {
		if err := checkTemplate(p.value); err != nil {
			return c.fault(p.at, err, "%s", p.at.named())
		}
		// Braces that are no placeholder are a choice: {a,b}.
		if err := inventory.CheckGlob(expand(p.value, "x", "x")); err != nil {
			return c.fault(p.at, err, "%s, %s, can't be used", p.at.named(), problem.Quote(p.value))
		}
	}
	return nil
}

func (c *Config) checkLayer(path text, l layer) error {
	if err := c.checkClouds(l); err != nil {
		return err
	}
	if err := c.checkGlobs(slices.Concat(l.Policy.Include, l.Policy.Exclude)); err != nil {
		return err
	}
	if err := c.checkPeople(l.Approvals.Teams, l.Approvals.Users); err != nil {
		return err
	}
	if _, err := c.ignoreRules(l); err != nil {
		return err
	}
	templates := slices.Concat([]text{path, l.Workspace, l.Environment}, l.VarFiles, l.BackendConfig, l.PlanFiles)
	for _, name := range slices.Sorted(maps.Keys(l.Env)) {
		if err := c.checkVariable(name, l.Env[name].at); err != nil {
			return err
		}
		templates = append(templates, l.Env[name])
	}
	for _, t := range templates {
		if err := checkTemplate(t.value); err != nil {
			return c.fault(t.at, err, "%s", t.at.named())
		}
	}
	return nil
}

// checkVariable refuses a name that no environment can have, and names of variables that
// the actions set.
func (c *Config) checkVariable(name string, at place) error {
	switch {
	case name == "" || strings.Contains(name, "=") || !inventory.IsPrintable(name):
		return c.fault(at, nil, "%s can't be the name of an environment variable", at.named())
	case name == "TF_WORKSPACE":
		return c.fault(at, nil, "%s would override the workspace: use the key `workspace`", at.named())
	case name == "TF_DATA_DIR":
		return c.fault(at, nil, "%s is set by these actions, so that targets with the same folder don't share data: remove it", at.named())
	}
	return nil
}

// checkCycles follows depends-on depth first. A component that it meets again on the way is
// part of a cycle.
func (c *Config) checkCycles() error {
	const walking, done = 1, 2
	state := make(map[string]int)
	var trail []string
	var visit func(name string) error
	visit = func(name string) error {
		state[name] = walking
		trail = append(trail, name)
		for _, dep := range c.doc.Components[name].DependsOn {
			switch state[dep.value] {
			case walking:
				cycle := append(slices.Clone(trail[slices.Index(trail, dep.value):]), dep.value)
				return c.fault(dep.at, nil, "depends-on makes a cycle: %s", arrows(cycle))
			case done:
			default:
				if err := visit(dep.value); err != nil {
					return err
				}
			}
		}
		trail = trail[:len(trail)-1]
		state[name] = done
		return nil
	}
	for _, name := range c.componentNames() {
		if state[name] == 0 {
			if err := visit(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// arrows shows a cycle, without the middle of a very long one.
func arrows(cycle []string) string {
	const most = 12
	var parts []string
	for i, name := range cycle {
		if len(cycle) > most && i == most/2 {
			parts = append(parts, "…")
		}
		if len(cycle) > most && i >= most/2 && i < len(cycle)-most/2 {
			continue
		}
		parts = append(parts, problem.Quote(name))
	}
	return strings.Join(parts, " → ")
}
