package atmos

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Stacks are all components in all stacks.
type Stacks struct {
	atmos     Project
	version   Version
	described map[inventory.Name]description
}

// Stacks asks Atmos for all components in all stacks. That is one slow call of Atmos, or two
// if templates call other components. It needs no credentials and runs no Terraform:
// functions stay text, and so do templates that would need them. Any failure of Atmos is an
// *[Error].
func (a Project) Stacks(ctx context.Context) (Stacks, error) {
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

func (a Project) describeStacks(ctx context.Context, version Version, p processing, args ...string) (map[inventory.Name]description, error) {
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
	all := make(map[inventory.Name]description)
	for stack, in := range stacks {
		for component, d := range in.Components.Terraform {
			all[inventory.Name{Component: component, Stack: stack}] = d
		}
	}
	return all, nil
}

// Targets lists the targets, sorted by name: the components that are not abstract and not
// disabled, and whose settings turn the actions on.
func (s Stacks) Targets() []inventory.Listed {
	type place struct {
		component string
		context   stackContext
	}
	stacks := make(map[place][]string)
	for name, d := range s.described {
		at := place{name.Component, d.context()}
		stacks[at] = append(stacks[at], name.Stack)
	}
	var all []inventory.Listed
	for name, d := range s.described {
		if !d.listed() {
			continue
		}
		all = append(all, inventory.Listed{
			Component: name.Component, Stack: name.Stack,
			Settings: d.Settings.Integrations.GitHub.GitOps.settings(), Destroy: d.Settings.Integrations.GitHub.GitOps.Destroy,
			DependsOn: d.dependsOn(name, func(component string, context stackContext) []string {
				return stacks[place{component, context}]
			}),
		})
	}
	slices.SortFunc(all, func(a, b inventory.Listed) int { return a.Name().Compare(b.Name()) })
	inventory.DestroyFirst(all)
	return all
}
