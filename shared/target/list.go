package target

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Listed is a target as a list of all has it.
type Listed struct {
	Component, Stack string
	Settings         Settings
	// DependsOn names the targets that are applied before this one, sorted. Those of
	// Atmos need not be in the list.
	DependsOn []Name
}

// Name is the target's name.
func (t Listed) Name() Name { return Name{t.Component, t.Stack} }

// Targets lists all targets, sorted. Nothing of them is looked at on disk.
func (c *Config) Targets() []Listed {
	var all []Listed
	for _, r := range c.resolvers() {
		dependsOn := r.dependsOn()
		slices.SortFunc(dependsOn, Name.Compare)
		all = append(all, Listed{Component: r.componentName, Stack: r.stackName, Settings: r.settings(), DependsOn: dependsOn})
	}
	return all
}

// resolvers are those of all targets, sorted by name.
func (c *Config) resolvers() []resolver {
	var all []resolver
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		for _, stack := range slices.Sorted(slices.Values(c.stacksOf(comp))) {
			all = append(all, resolver{Config: c, componentName: name, comp: comp, stackName: stack, st: c.doc.Stacks[stack]})
		}
	}
	return all
}

// Stacks is all that Atmos has: each component in each stack.
type Stacks struct {
	atmos     Atmos
	version   AtmosVersion
	described map[Name]description
}

// Stacks asks Atmos for all components in all stacks, in one slow call (two where some
// component's templates call others) that needs no credentials and runs no Terraform:
// functions are left as text, and so are templates that would. Any failure of Atmos is
// an *[AtmosError].
func (a Atmos) Stacks(ctx context.Context) (Stacks, error) {
	version, err := a.Version(ctx)
	if err != nil {
		return Stacks{}, err
	}
	sections := strings.Join(append(slices.Clone(inStacks), "component_info", "dependencies", "generate", "required_providers", "required_version", "source", "provision"), ",")
	described, err := a.listStacks(ctx, version, sections)
	if err != nil {
		return Stacks{}, err
	}
	for name, d := range described {
		if member := d.lacking(inStacks...); member != "" {
			return Stacks{}, a.lacks(version, name, member)
		}
		if err := d.check(name); err != nil {
			return Stacks{}, err
		}
	}
	return Stacks{atmos: a, version: version, described: described}, nil
}

func (a Atmos) describeStacks(ctx context.Context, version AtmosVersion, p processing, args ...string) (map[Name]description, error) {
	out, said, err := a.run(ctx, slices.Concat([]string{"describe", "stacks"}, args, version.flags(p))...)
	if err != nil {
		return nil, a.failed(ctx, "describe the stacks", said, err)
	}
	var stacks map[string]struct {
		Components struct {
			Terraform map[string]description `json:"terraform"`
		} `json:"components"`
	}
	if err := json.Unmarshal(out, &stacks); err != nil {
		return nil, problem.With(problem.Atmos, fmt.Errorf("read how Atmos %s describes the stacks: %w", version, err))
	}
	all := make(map[Name]description)
	for stack, in := range stacks {
		for component, d := range in.Components.Terraform {
			all[Name{component, stack}] = d
		}
	}
	return all, nil
}

// Targets lists the targets, sorted: all components but those that are abstract,
// disabled, or not for these actions.
func (s Stacks) Targets() []Listed {
	type place struct {
		component string
		context   stackContext
	}
	stacks := make(map[place][]string)
	for name, d := range s.described {
		at := place{name.Component, d.context()}
		stacks[at] = append(stacks[at], name.Stack)
	}
	var all []Listed
	for name, d := range s.described {
		if !d.listed() {
			continue
		}
		all = append(all, Listed{
			Component: name.Component, Stack: name.Stack,
			Settings: d.Settings.Integrations.GitHub.GitOps.settings(),
			DependsOn: d.dependsOn(name, func(component string, context stackContext) []string {
				return stacks[place{component, context}]
			}),
		})
	}
	slices.SortFunc(all, func(a, b Listed) int { return a.Name().Compare(b.Name()) })
	return all
}
