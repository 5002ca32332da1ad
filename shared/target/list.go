package target

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Listed is a target as a list of all has it.
type Listed struct {
	Component, Stack string
	Settings         Settings
}

// Targets lists all targets, sorted. Nothing of them is looked at on disk.
func (c *Config) Targets() []Listed {
	var all []Listed
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		for _, stack := range c.stacksOf(comp) {
			r := resolver{Config: c, componentName: name, comp: comp, stackName: stack, st: c.doc.Stacks[stack]}
			all = append(all, Listed{Component: name, Stack: stack, Settings: r.settings()})
		}
	}
	return all
}

// Targets lists all components in all stacks, sorted, but for those that are
// abstract, disabled, or not for these actions. It is one slow call of Atmos.
func (a Atmos) Targets(ctx context.Context) ([]Listed, error) {
	out, said, err := a.run(ctx, "describe", "stacks", "--format", "json", "--sections", "settings,metadata,component")
	if err != nil {
		return nil, &AtmosError{Line: "Atmos can't describe the stacks: " + oneLine(errorHeadings.ReplaceAllString(said, "")), Said: said, Err: err}
	}
	var stacks map[string]struct {
		Components struct {
			Terraform map[string]description `json:"terraform"`
		} `json:"components"`
	}
	if err := json.Unmarshal(out, &stacks); err != nil {
		return nil, fmt.Errorf("read how Atmos describes the stacks: %w", err)
	}
	var all []Listed
	for stack, in := range stacks {
		for component, d := range in.Components.Terraform {
			if d.Metadata.Type == "abstract" || d.Metadata.Enabled != nil && !*d.Metadata.Enabled || !d.Settings.GitHub.ActionsEnabled {
				continue
			}
			all = append(all, Listed{Component: component, Stack: stack, Settings: d.Settings.Integrations.GitHub.GitOps.settings()})
		}
	}
	slices.SortFunc(all, func(a, b Listed) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
	})
	return all, nil
}
