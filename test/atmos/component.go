package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// component is a component of a stack, with inheritance resolved.
type component struct {
	project *project
	stack   *stack
	name    string
	bases   []string // the components that it inherits from, the strongest first

	folder       string // below the components' base path
	workdir      string // the copy of the folder in which Terraform runs; empty: the folder itself
	metadata     section
	vars         section
	env          section
	settings     section
	backendType  string
	backend      section
	command      string
	dependencies section
	providers    section
	also         section // other sections of 1.227, by name
}

// component finds a component in a stack that is given by its name.
func (p *project) component(name, stack string) (*component, error) {
	for _, s := range p.stacks {
		if s.name == stack && at(s.merged, "components", "terraform")[name] != nil {
			return p.resolve(s, name)
		}
	}
	return nil, &failure{"invalid component", fmt.Sprintf("Could not find the component %s in the stack %s. "+
		"Check that all the context variables are correctly defined in\nthe stack manifests. "+
		"Are the component and stack names correct? Did you forget an import?", name, stack)}
}

// components returns all components of a stack, sorted by name.
func (p *project) components(s *stack) ([]*component, error) {
	var list []*component
	for _, name := range sorted(at(s.merged, "components", "terraform")) {
		c, err := p.resolve(s, name)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func (p *project) resolve(s *stack, name string) (*component, error) {
	c := &component{project: p, stack: s, name: name, folder: name}
	var err error
	if c.bases, err = s.bases(name, nil); err != nil {
		return nil, err
	}
	slices.Reverse(c.bases)
	c.metadata = c.ownMetadata()
	if folder, ok := c.metadata["component"].(string); ok {
		c.folder = folder
	}
	c.vars, c.env = c.section("vars"), c.section("env")
	c.settings = c.section("settings")
	if github := at(p.integrations, "github"); github != nil {
		c.settings = merge(section{"integrations": section{"github": github}}, c.settings)
	}
	c.providers = c.section("providers")
	if modern() {
		c.also = section{"source": c.section("source"), "provision": c.section("provision"), "generate": c.section("generate"),
			"required_providers": c.section("required_providers"), "required_version": c.text("required_version")}
	}
	c.command = cmp.Or(c.text("command"), p.cli.Components.Terraform.Command, "terraform")
	c.backendType = c.text("backend_type")
	c.backend = merge(at(c.section("backend"), c.backendType))
	switch c.backendType {
	case "", "local", "http":
	case "s3":
		if c.backend["workspace_key_prefix"] == nil {
			c.backend["workspace_key_prefix"] = strings.ReplaceAll(c.folder, "/", "-")
		}
	default:
		return nil, fmt.Errorf("stand-in: no backend_type %s", c.backendType)
	}
	if dependencies := c.section("dependencies"); len(dependencies) > 0 {
		c.dependencies = dependencies
	}
	return c, nil
}

// ownMetadata returns the component's metadata. 1.227 merges it over the metadata of the components
// that it inherits from, except for the keys that define what a component is.
func (c *component) ownMetadata() section {
	own := func(name string) section { return at(c.stack.merged, "components", "terraform", name, "metadata") }
	metadata := section{}
	for i := len(c.bases) - 1; i >= 0 && modern(); i-- {
		inherited := merge(own(c.bases[i]))
		delete(inherited, "inherits")
		delete(inherited, "type")
		metadata = merge(metadata, inherited)
	}
	return merge(metadata, own(c.name))
}

// bases returns the components that a component inherits from, directly or not, the weakest first.
func (s *stack) bases(name string, bases []string) ([]string, error) {
	inherits, _ := at(s.merged, "components", "terraform", name, "metadata")["inherits"].([]any)
	for _, entry := range inherits {
		base := fmt.Sprint(entry)
		if at(s.merged, "components", "terraform")[base] == nil {
			return nil, fmt.Errorf("the component '%s' in the stack manifest '%s' inherits from '%s' (using 'metadata.inherits'), "+
				"but '%s' is not defined in any of the config files for the stack '%s'", name, s.file, base, base, s.file)
		}
		var err error
		if bases, err = s.bases(base, bases); err != nil {
			return nil, err
		}
		if !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	return bases, nil
}

// levels returns the mappings that can contain a component's sections, the strongest first.
func (c *component) levels() []section {
	var levels []section
	for _, name := range append([]string{c.name}, c.bases...) {
		levels = append(levels, at(c.stack.merged, "components", "terraform", name))
	}
	return append(levels, at(c.stack.merged, "terraform"), c.stack.merged)
}

func (c *component) section(key string) section {
	merged := section{}
	for _, level := range c.levels() {
		merged = merge(at(level, key), merged)
	}
	return merged
}

func (c *component) text(key string) string {
	for _, level := range c.levels() {
		if text, ok := level[key].(string); ok {
			return text
		}
	}
	return ""
}

// path is the absolute folder of the root module.
func (c *component) path() string {
	if c.workdir != "" {
		return c.workdir
	}
	return filepath.Join(c.project.base, c.project.cli.Components.Terraform.BasePath, c.folder)
}

// workspace is the Terraform workspace.
func (c *component) workspace() string {
	if c.folder == c.name {
		return c.workspaceOr(c.stack.name)
	}
	return c.workspaceOr(c.stack.name + "-" + c.name)
}

func (c *component) workspaceOr(workspace string) string {
	if !c.hasWorkspaces() {
		return "default"
	}
	if pattern, ok := c.metadata["terraform_workspace_pattern"].(string); ok {
		workspace = token.ReplaceAllStringFunc(pattern, func(token string) string {
			switch token {
			case "{component}":
				return c.name
			case "{base-component}":
				return c.folder
			}
			return fmt.Sprint(c.vars[strings.Trim(token, "{}")])
		})
	} else if name, ok := c.metadata["terraform_workspace"].(string); ok {
		workspace = name
	}
	return strings.ReplaceAll(workspace, "/", "-")
}

// slug is the name that Atmos gives a component in its stack.
func (c *component) slug() string {
	return c.stack.name + "-" + strings.ReplaceAll(c.name, "/", "-")
}

func (c *component) abstract() bool { return c.metadata["type"] == "abstract" }
func (c *component) disabled() bool { return c.metadata["enabled"] == false }
func (c *component) locked() bool   { return c.metadata["locked"] == true }
