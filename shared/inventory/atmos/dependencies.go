package atmos

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// dependency is an entry of settings.depends_on, or of dependencies.components, which newer
// versions of Atmos have.
// https://atmos.tools/stacks/settings/depends_on
// https://atmos.tools/stacks/dependencies/components
type dependency struct {
	Component string `json:"component"`
	Alias     string `json:"name"` // the component, in dependencies.components
	Kind      string `json:"kind"` // empty: the kind of the component that has the entry
	Stack     string `json:"stack"`

	// A file or folder instead of a component. Path is the newer name of both.
	Path   string `json:"path"`
	File   string `json:"file"`
	Folder string `json:"folder"`

	// In depends_on, these may name the stack.
	Namespace   string `json:"namespace"`
	Tenant      string `json:"tenant"`
	Environment string `json:"environment"`
	Stage       string `json:"stage"`
}

// dependencies are written as a list, or as a mapping whose keys mean nothing.
type dependencies []dependency

func (all *dependencies) UnmarshalJSON(content []byte) error {
	var list []dependency
	if json.Unmarshal(content, &list) == nil {
		*all = list
		return nil
	}
	var mapping map[string]dependency
	err := json.Unmarshal(content, &mapping)
	*all = slices.Collect(maps.Values(mapping))
	return err
}

// dependentPaths are written as a list of paths, or of mappings with a path each.
type dependentPaths []string

func (all *dependentPaths) UnmarshalJSON(content []byte) error {
	if json.Unmarshal(content, (*[]string)(all)) == nil {
		return nil
	}
	var entries dependencies
	err := json.Unmarshal(content, &entries)
	*all = nil
	for _, entry := range entries {
		*all = append(*all, entry.Path)
	}
	return err
}

// stackContext are the variables that tell stacks apart: namespace, tenant, environment,
// stage.
type stackContext [4]string

func (d description) context() (own stackContext) {
	for i, name := range []string{"namespace", "tenant", "environment", "stage"} {
		if json.Unmarshal(d.Vars[name], &own[i]) != nil {
			own[i] = "" // it is missing, or no text
		}
	}
	return own
}

// context is the context of the entry: what it does not say is as in own.
func (entry dependency) context(own stackContext) stackContext {
	for i, given := range []string{entry.Namespace, entry.Tenant, entry.Environment, entry.Stage} {
		if given != "" {
			own[i] = given
		}
	}
	return own
}

// dependsOn names the targets that a component depends on, sorted by name. elsewhere finds the
// stacks in which a component has another context than in this stack. As in Atmos,
// dependencies.components replaces settings.depends_on. A component also depends on the
// components whose outputs its functions read.
func (d description) dependsOn(own inventory.Name, elsewhere func(component string, context stackContext) []string) []inventory.Name {
	entries := d.Dependencies.Components
	if len(entries) == 0 {
		entries = d.Settings.DependsOn
	}
	var names []inventory.Name
	for _, entry := range entries {
		component := entry.Component
		if component == "" {
			component = entry.Alias
		}
		// There are entries for files and folders, too, and for components of other tools.
		if component == "" || entry.Kind != "" && entry.Kind != "terraform" {
			continue
		}
		stacks := []string{own.Stack}
		if entry.Stack != "" {
			stacks = []string{entry.Stack}
		} else if context := entry.context(d.context()); context != d.context() {
			stacks = elsewhere(component, context)
		}
		for _, stack := range stacks {
			if name := (inventory.Name{Component: component, Stack: stack}); name != own {
				names = append(names, name)
			}
		}
	}
	functions, _ := dynamic(d.sections())
	for _, f := range functions {
		for _, read := range append(templateReads(f.text, own.Stack), f.read(own.Stack).Target) {
			if read != own && read != (inventory.Name{}) {
				names = append(names, read)
			}
		}
	}
	slices.SortFunc(names, inventory.Name.Compare)
	return slices.Compact(names)
}
