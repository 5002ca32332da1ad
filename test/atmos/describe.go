package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func describeComponent(args []string) error {
	a, err := parseDescribe(args, flags{"--stack": true})
	if err != nil {
		return err
	}
	p, err := openProject()
	if err != nil {
		return err
	}
	if len(a.positional) != 1 {
		return errors.New("invalid arguments. The command requires one argument component")
	}
	c, err := p.component(a.positional[0], a.flags["--stack"])
	if err != nil {
		return err
	}
	described := c.describe(c.workspace())
	sources := c.sources()
	described["atmos_cli_config"] = p.cli
	described["cli_args"] = []string{"describe", "component"}
	described["component_type"] = "terraform"
	described["component_info"] = c.info()
	described["deps"], described["deps_all"] = deps(sources, c.stack.file)
	described["imports"] = sorted(c.stack.imports)
	described["sources"] = sources
	described["tf_cli_vars"] = section{}
	return printJSON(described)
}

func describeStacks(args []string) error {
	a, err := parseDescribe(args, flags{"--stack": true, "--components": true, "--sections": true})
	if err != nil {
		return err
	}
	p, err := openProject()
	if err != nil {
		return err
	}
	keep := func(flag, name string) bool {
		list := a.flags[flag]
		return list == "" || slices.Contains(strings.Split(list, ","), name)
	}
	stacks := section{}
	for _, s := range p.stacks {
		components, err := p.components(s)
		if err != nil {
			return err
		}
		described := section{}
		for _, c := range components {
			if keep("--stack", s.name) && keep("--components", c.name) {
				// Here Atmos names the workspace as if every component were its own base.
				sections := c.describe(c.workspaceOr(s.name))
				for name := range sections {
					if !keep("--sections", name) {
						delete(sections, name)
					}
				}
				described[c.name] = sections
			}
		}
		if len(described) > 0 {
			stacks[s.name] = section{"components": section{"terraform": described}}
		}
	}
	return printJSON(stacks)
}

// parseDescribe takes the flags of all describe commands, too. Those for
// templates and functions change nothing: there are none.
func parseDescribe(args []string, known flags) (arguments, error) {
	known["--format"], known["--process-templates"], known["--process-functions"] = true, false, false
	a, err := parse(args, known)
	if err == nil && a.flags["--format"] != "json" {
		err = errors.New("stand-in: no format but json")
	}
	return a, err
}

// describe is what describe component and describe stacks both show.
func (c *component) describe(workspace string) section {
	bases := c.bases
	if bases == nil {
		bases = []string{}
	}
	return section{
		"atmos_component":           c.name,
		"atmos_manifest":            c.stack.file,
		"atmos_stack":               c.stack.name,
		"atmos_stack_file":          c.stack.file,
		"auth":                      c.section("auth"),
		"backend":                   c.backend,
		"backend_type":              c.backendType,
		"command":                   c.command,
		"component":                 c.folder,
		"env":                       c.env,
		"hooks":                     c.section("hooks"),
		"inheritance":               bases,
		"metadata":                  c.metadata,
		"overrides":                 section{},
		"providers":                 c.providers,
		"remote_state_backend":      c.backend,
		"remote_state_backend_type": c.backendType,
		"settings":                  c.settings,
		"stack":                     c.stack.name,
		"vars":                      c.vars,
		"workspace":                 workspace,
	}
}

//go:embed testdata/recorded/describe-component.*.json testdata/sample/components
var testdata embed.FS

// recordings are descriptions of the sample's modules.
var recordings = map[string]string{
	"network": "testdata/recorded/describe-component.network.acme-ue2-dev.json",
	"service": "testdata/recorded/describe-component.service_api.acme-ue2-dev.json",
}

// info is where the component's module is, and what is in it.
func (c *component) info() section {
	info := section{"component_path": c.path(), "component_type": "terraform", "terraform_config": nil}
	sample, _ := testdata.ReadFile("testdata/sample/components/terraform/" + c.folder + "/main.tf")
	module, err := os.ReadFile(filepath.Join(c.path(), "main.tf"))
	if err != nil || !bytes.Equal(sample, module) {
		return info
	}
	recording, err := testdata.ReadFile(recordings[c.folder])
	if err != nil {
		return info
	}
	recording = bytes.ReplaceAll(recording, fmt.Appendf(nil, "%q", "/repo/components/terraform/"+c.folder), fmt.Appendf(nil, "%q", c.path()))
	recording = bytes.ReplaceAll(recording, []byte("/repo/components/terraform/"+c.folder+"/"), []byte(c.path()+"/"))
	var recorded struct {
		Info struct {
			Config json.RawMessage `json:"terraform_config"`
		} `json:"component_info"`
	}
	if json.Unmarshal(recording, &recorded) == nil {
		info["terraform_config"] = recorded.Info.Config
	}
	return info
}
