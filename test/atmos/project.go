package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"
)

// project is an Atmos project: atmos.yaml and the stacks that it finds.
type project struct {
	configDir    string // absolute path of the folder of atmos.yaml
	base         string // absolute base path
	cli          cliConfig
	integrations section
	identities   section
	stores       section
	stacks       []*stack
	templates    bool // templates.settings.enabled
	edition      string
}

// section is a mapping of a manifest.
type section = map[string]any

// cliConfig is the part of atmos.yaml that Atmos shows as atmos_cli_config, in
// its order.
type cliConfig struct {
	BasePath   string `yaml:"base_path" json:"base_path"`
	Components struct {
		Terraform terraformConfig `yaml:"terraform" json:"terraform"`
		Helmfile  json.RawMessage `yaml:"-" json:"helmfile"`
		Packer    json.RawMessage `yaml:"-" json:"packer"`
		Plugins   any             `yaml:"-" json:"Plugins"`
	} `yaml:"components" json:"components"`
	Stacks struct {
		BasePath      string   `yaml:"base_path" json:"base_path"`
		IncludedPaths []string `yaml:"included_paths" json:"included_paths"`
		ExcludedPaths []string `yaml:"excluded_paths" json:"excluded_paths"`
		NamePattern   string   `yaml:"name_pattern" json:"name_pattern"`
		NameTemplate  string   `yaml:"name_template" json:"name_template"`
	} `yaml:"stacks" json:"stacks"`
	Workflows json.RawMessage `yaml:"-" json:"workflows"`
}

type terraformConfig struct {
	BasePath                string `yaml:"base_path" json:"base_path"`
	ApplyAutoApprove        bool   `yaml:"apply_auto_approve" json:"apply_auto_approve"`
	AppendUserAgent         string `yaml:"append_user_agent" json:"append_user_agent"`
	DeployRunInit           bool   `yaml:"deploy_run_init" json:"deploy_run_init"`
	InitRunReconfigure      bool   `yaml:"init_run_reconfigure" json:"init_run_reconfigure"`
	AutoGenerateBackendFile bool   `yaml:"auto_generate_backend_file" json:"auto_generate_backend_file"`
	Command                 string `yaml:"command" json:"command"`
	WorkspacesEnabled       *bool  `yaml:"workspaces_enabled" json:"workspaces_enabled,omitempty"`
	Shell                   struct {
		Prompt string `yaml:"prompt" json:"prompt"`
	} `yaml:"shell" json:"shell"`
	Init struct {
		PassVars bool `yaml:"pass_vars" json:"pass_vars"`
	} `yaml:"init" json:"init"`
	Plan struct {
		SkipPlanfile bool `yaml:"skip_planfile" json:"skip_planfile"`
	} `yaml:"plan" json:"plan"`
}

// What Atmos shows of tools that the sample does not use.
const (
	helmfile  = `{"base_path":"","use_eks":true,"kubeconfig_path":"","helm_aws_profile_pattern":"","cluster_name_pattern":"","command":""}`
	packer    = `{"base_path":"","command":""}`
	workflows = `{"base_path":"","list":{"format":"","columns":null}}`
)

// openProject reads the project. ATMOS_CLI_CONFIG_PATH is the folder of atmos.yaml. A relative base
// path is relative to the working directory.
func openProject() (*project, error) {
	p := &project{}
	var err error
	if p.configDir, err = filepath.Abs(os.Getenv("ATMOS_CLI_CONFIG_PATH")); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(p.configDir, "atmos.yaml"))
	if err != nil {
		return nil, fmt.Errorf("stand-in: atmos.yaml: %w", err)
	}
	var other struct {
		Integrations section
		Stores       section
		Auth         struct{ Identities section }
		Templates    struct{ Settings struct{ Enabled bool } }
		Edition      string
	}
	p.cli.Components.Terraform.AppendUserAgent = "Atmos/" + version() + " (Cloud Posse; +https://atmos.tools)"
	for _, into := range []any{&p.cli, &other} {
		if err := yaml.Unmarshal(content, into); err != nil {
			return nil, fmt.Errorf("atmos.yaml: %w", err)
		}
	}
	p.stores = other.Stores
	p.integrations, p.identities = other.Integrations, other.Auth.Identities
	p.templates, p.edition = other.Templates.Settings.Enabled, other.Edition
	p.cli.Components.Helmfile, p.cli.Components.Packer = json.RawMessage(helmfile), json.RawMessage(packer)
	p.cli.Workflows = json.RawMessage(workflows)
	p.cli.Components.Terraform.Command = cmp.Or(os.Getenv("ATMOS_COMPONENTS_TERRAFORM_COMMAND"), p.cli.Components.Terraform.Command)
	if value := os.Getenv("ATMOS_COMPONENTS_TERRAFORM_AUTO_GENERATE_BACKEND_FILE"); value != "" {
		if p.cli.Components.Terraform.AutoGenerateBackendFile, err = strconv.ParseBool(value); err != nil {
			return nil, err
		}
	}
	p.cli.BasePath = cmp.Or(os.Getenv("ATMOS_BASE_PATH"), p.cli.BasePath)
	if p.base, err = filepath.Abs(p.cli.BasePath); err != nil {
		return nil, err
	}
	return p, p.readStacks()
}

// stack is a manifest that is not only imported by others.
type stack struct {
	name     string
	file     string             // below the stacks' base path, without extension
	manifest section            // the file as it is
	imports  map[string]section // all manifests that it imports, directly or not
	merged   section
}

func (p *project) readStacks() error {
	root := filepath.Join(p.base, p.cli.Stacks.BasePath)
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		file, isYAML := strings.CutSuffix(filepath.ToSlash(file), ".yaml")
		if !isYAML || !matches(p.cli.Stacks.IncludedPaths, file) || matches(p.cli.Stacks.ExcludedPaths, file) {
			return nil
		}
		s := &stack{file: file, imports: map[string]section{}}
		if s.manifest, s.merged, err = readManifest(root, file, s.imports); err != nil {
			return err
		}
		if s.name, err = p.stackName(s); err != nil {
			return err
		}
		p.stacks = append(p.stacks, s)
		return nil
	})
}

// matches reports whether a file's name, without its extension, matches one of the patterns.
func matches(patterns []string, file string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		expression := regexp.QuoteMeta(strings.TrimSuffix(pattern, ".yaml"))
		expression = strings.NewReplacer(`\*\*/`, `(.*/)?`, `\*\*`, `.*`, `\*`, `[^/]*`).Replace(expression)
		return regexp.MustCompile("^" + expression + "$").MatchString(file)
	})
}

var token = regexp.MustCompile(`\{([^{}]*)\}`)

// stackName returns the stack's name. It follows from the stack's variables and a pattern such as
// {tenant}-{stage}, or a template.
func (p *project) stackName(s *stack) (string, error) {
	vars := merge(at(s.merged, "vars"), at(s.merged, "terraform", "vars"))
	if text := p.cli.Stacks.NameTemplate; text != "" {
		t, err := template.New("name_template").Option("missingkey=error").Parse(text)
		if err != nil {
			return "", err
		}
		var name strings.Builder
		err = t.Execute(&name, section{"vars": vars, "settings": at(s.merged, "settings")})
		return name.String(), err
	}
	pattern := p.cli.Stacks.NamePattern
	var missing string
	name := token.ReplaceAllStringFunc(pattern, func(token string) string {
		value, ok := vars[strings.Trim(token, "{}")].(string)
		if !ok {
			missing = token
		}
		return value
	})
	if missing != "" {
		return "", fmt.Errorf("stack name pattern '%s' can't be used for %s: no variable for %s", pattern, s.file, missing)
	}
	return cmp.Or(name, s.file), nil
}

// merge merges mappings; the later one wins. It replaces other values, such as lists, as a whole.
func merge(sections ...section) section {
	merged := section{}
	for _, s := range sections {
		for key, value := range s {
			if below, ok := merged[key].(section); ok {
				if over, ok := value.(section); ok {
					value = merge(below, over)
				}
			}
			merged[key] = value
		}
	}
	return merged
}

// at returns the mapping at a path, or nil.
func at(s section, path ...string) section {
	for _, key := range path {
		s, _ = s[key].(section)
	}
	return s
}

func sorted[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// config is the project's configuration as Atmos shows it.
func (p *project) config() any {
	if !modern() {
		return p.cli
	}
	t := p.cli.Components.Terraform
	terraform := section{
		"base_path": t.BasePath, "apply_auto_approve": t.ApplyAutoApprove, "append_user_agent": t.AppendUserAgent,
		"deploy_run_init": t.DeployRunInit, "init_run_reconfigure": t.InitRunReconfigure,
		"auto_generate_backend_file": t.AutoGenerateBackendFile, "command": t.Command,
		"shell": t.Shell, "init": t.Init, "plan": t.Plan,
		"auto_generate_files": false, "auto_provision_workdir_for_outputs": true, "plugin_cache": true,
	}
	tool := func(more section) section { return merge(section{"auto_generate_files": false, "base_path": ""}, more) }
	list := func(s []string) []string { return append([]string{}, s...) }
	return section{
		"base_path": p.cli.BasePath,
		"components": section{
			"terraform": terraform, "helm": tool(nil), "kubernetes": tool(section{"provider": ""}),
			"ansible": tool(section{"command": ""}), "packer": tool(section{"command": ""}),
			"helmfile": tool(section{"cluster_name": "", "cluster_name_pattern": "", "cluster_name_template": "", "command": "",
				"helm_aws_profile_pattern": "", "kubeconfig_path": "", "use_eks": false}),
		},
		"stacks": section{
			"base_path": p.cli.Stacks.BasePath, "included_paths": list(p.cli.Stacks.IncludedPaths), "excluded_paths": list(p.cli.Stacks.ExcludedPaths),
			"name_pattern": p.cli.Stacks.NamePattern, "name_template": p.cli.Stacks.NameTemplate, "inherit": section{"metadata": true},
		},
		"workflows": section{"base_path": "", "list": section{"columns": []any{}, "format": ""}},
	}
}
