package main

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func describeComponent(args []string) error {
	a, err := parseDescribe(args, flags{"--stack": true, "--provenance": false, "--skip": true})
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
	if err := c.evaluate(a.dynamic()); err != nil {
		return err
	}
	described := c.describe(c.workspace())
	sources := c.sources()
	described["atmos_cli_config"] = p.config()
	described["cli_args"] = []string{"describe", "component"}
	described["component_type"] = "terraform"
	described["component_info"] = c.info()
	described["deps"], described["deps_all"] = deps(sources, c.stack.file)
	described["imports"] = sorted(c.stack.imports)
	described["sources"] = sources
	described["tf_cli_vars"] = section{}
	expression, asked := a.flags["--query"]
	if asked {
		return printQuery(described, expression)
	}
	if modern() {
		// Keep only the sections that a stack manifest can have.
		for name := range described {
			if !slices.Contains([]string{"backend", "component", "dependencies", "env", "hooks", "imports", "metadata", "overrides", "providers", "settings", "vars"}, name) {
				delete(described, name)
			}
		}
	}
	return printJSON(described)
}

// printQuery prints the value at a path. Atmos evaluates the path on the description, and sorts its
// keys.
func printQuery(described section, expression string) error {
	text, err := json.Marshal(described)
	if err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	if value, err = yq(value, expression); err != nil {
		return err
	}
	return printJSON(value)
}

func describeStacks(args []string) error {
	a, err := parseDescribe(args, flags{"--stack": true, "--components": true, "--sections": true, "--skip": true})
	if err != nil {
		return err
	}
	p, err := openProject()
	if err != nil {
		return err
	}
	p.warn()
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
				if err := c.evaluate(a.dynamic()); err != nil {
					return err
				}
				// Here Atmos computes the workspace's name as if no component had another one as its base.
				sections := c.describe(c.workspaceOr(s.name))
				if modern() {
					sections["component_info"] = section{"component_path": c.relativePath(), "component_type": "terraform"}
				}
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
	if expression, asked := a.flags["--query"]; asked {
		return printQuery(stacks, expression)
	}
	return printJSON(stacks)
}

// parseDescribe also accepts the flags that all describe commands share.
func parseDescribe(args []string, known flags) (arguments, error) {
	known["--format"], known["--process-templates"], known["--process-functions"], known["--query"] = true, false, false, true
	if modern() {
		known["--error-mode"], known["--identity"] = true, true
	}
	a, err := parse(args, known)
	if err == nil && a.flags["--format"] != "json" {
		err = errors.New("stand-in: no format but json")
	}
	return a, err
}

// dynamic returns how the flags of a describe command treat templates and functions.
func (a arguments) dynamic() dynamic {
	mode := cmp.Or(a.flags["--error-mode"], os.Getenv("ATMOS_DESCRIBE_ERROR_MODE"), "warn")
	return dynamic{
		templates: a.flags["--process-templates"] != "false",
		functions: a.flags["--process-functions"] != "false",
		lenient:   mode != "strict",
	}
}

// warn prints the manifests that use a deprecated feature.
func (p *project) warn() {
	if !modern() {
		return
	}
	said := map[string]bool{}
	for _, s := range p.stacks {
		for _, file := range append(sorted(s.imports), s.file) {
			name := filepath.ToSlash(filepath.Join(p.cli.Stacks.BasePath, file+".yaml"))
			content, err := os.ReadFile(filepath.Join(p.base, name))
			if err != nil || said[name] {
				continue
			}
			said[name] = true
			component := ""
			lines := strings.Split(string(content), "\n")
			for i, line := range lines {
				if found := componentKey.FindStringSubmatch(line); found != nil {
					component = found[1]
				}
				if strings.TrimSpace(line) == "depends_on:" && i+1 < len(lines) {
					column := len(lines[i+1]) - len(strings.TrimLeft(lines[i+1], " ")) + 1
					fmt.Fprintf(os.Stderr, "⚠  %s:%d:%d: warning: components.terraform.%s.settings.depends_on is deprecated; use dependencies.components\n", name, i+2, column, component)
				}
			}
		}
	}
}

var componentKey = regexp.MustCompile(`^    ([^ #].*):$`)

// describe returns the part that describe component and describe stacks have in common.
func (c *component) describe(workspace string) section {
	bases := c.bases
	if bases == nil {
		bases = []string{}
	}
	all := section{
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
	if c.dependencies != nil {
		all["dependencies"] = c.dependencies
	}
	maps.Copy(all, c.also)
	return all
}

//go:embed testdata/recorded/describe-component.*.json testdata/recorded-1.227/*.out testdata/sample/components
var testdata embed.FS

// recording returns the recorded description of one of the sample's modules, or nil.
func recording(folder string) []byte {
	name := map[string]string{"network": "network.acme-ue2-dev", "service": "service_api.acme-ue2-dev"}[folder]
	file := "testdata/recorded/describe-component." + name + ".json"
	if modern() {
		file = "testdata/recorded-1.227/describe-component.query." + name + ".out"
	}
	content, _ := testdata.ReadFile(file)
	return content
}

// info returns the component's module: its path and content.
func (c *component) info() section {
	info := section{"component_path": c.path(), "component_type": "terraform", "terraform_config": nil}
	sample, _ := testdata.ReadFile("testdata/sample/components/terraform/" + c.folder + "/main.tf")
	module, err := os.ReadFile(filepath.Join(c.path(), "main.tf"))
	if err != nil || !bytes.Equal(sample, module) {
		return info
	}
	recording := recording(c.folder)
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
