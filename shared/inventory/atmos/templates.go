package atmos

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// For a template that calls atmos.Component, Atmos runs `terraform init` and `terraform output`
// in another component's folder. For one that calls atmos.Store or a data source it asks a
// service. Both need credentials, which are not there while targets are listed. So all
// templates of a component with such a call stay text then, as functions do: Atmos processes
// either all templates of a component or none.
// https://atmos.tools/functions/template
var (
	calling       = regexp.MustCompile(`\batmos\.(Component|Store|GomplateDatasource)\b|(?s:\{\{.*\b(datasource|ds)\s)`)
	componentCall = regexp.MustCompile(`\batmos\.Component\s+"([^"]+)"\s+(?:"([^"]+)"|(\.stack|\.atmos_stack)\b)`)
)

// callsOut tells whether a text is a template that reads something outside of Git.
func callsOut(text string) bool { return calling.MatchString(text) }

// templateReads are the targets whose outputs a template reads, for a target in the stack, if
// their names are constant.
func templateReads(text, stack string) (names []inventory.Name) {
	for _, found := range componentCall.FindAllStringSubmatch(text, -1) {
		name := inventory.Name{Component: found[1], Stack: found[2]}
		if found[3] != "" {
			name.Stack = stack
		}
		names = append(names, name)
	}
	return names
}

// mayCallOut tells whether any manifest in the checkout may have a template that calls out. It
// looks once for each checkout. Most projects have none: then Atmos is called once, not
// twice.
func (a Project) mayCallOut() (may bool, err error) {
	if a.version == nil {
		a.version = &askedVersion{}
	}
	a.version.mu.Lock()
	defer a.version.mu.Unlock()
	if may, known := a.version.callOut[a.Root]; known {
		return may, nil
	}
	err = filepath.WalkDir(a.Root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path != a.Root: // Atmos can't read it either
			return nil
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == fingerprint.DataFolder):
			return fs.SkipDir
		case entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".tmpl"}, filepath.Ext(path)):
			return nil
		}
		content, err := os.ReadFile(path) //nolint:gosec // Atmos reads it, too
		if err == nil && calling.Match(content) {
			may = true
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return false, problem.With(problem.Checkout, fmt.Errorf("look for templates in the manifests: %w", err))
	}
	if a.version.callOut == nil {
		a.version.callOut = map[string]bool{}
	}
	a.version.callOut[a.Root] = may
	return may, nil
}

// list describes a component as far as that needs no credentials and no Terraform.
func (a Project) list(ctx context.Context, version Version, name inventory.Name) (description, error) {
	may, err := a.mayCallOut()
	if err != nil {
		return description{}, err
	}
	if may {
		d, err := a.describe(ctx, version, name, processing{})
		if err != nil || d.callsOut() {
			d.asText = true
			return d, err
		}
	}
	return a.describe(ctx, version, name, processing{templates: true})
}

// listStacks is list for all components in all stacks.
func (a Project) listStacks(ctx context.Context, version Version, sections string) (map[inventory.Name]description, error) {
	may, err := a.mayCallOut()
	if err != nil {
		return nil, err
	}
	if !may {
		return a.describeStacks(ctx, version, processing{templates: true}, "--sections", sections)
	}
	all, err := a.describeStacks(ctx, version, processing{}, "--sections", sections)
	if err != nil {
		return nil, err
	}
	// Atmos can be asked for components by name, in all stacks, but not for targets.
	others, calls := map[string]bool{}, map[string]bool{}
	for name, d := range all {
		others[name.Component] = true
		calls[name.Component] = calls[name.Component] || d.callsOut()
	}
	maps.DeleteFunc(others, func(name string, _ bool) bool { return calls[name] })
	for name, d := range all {
		d.asText = calls[name.Component]
		all[name] = d
	}
	if len(others) == 0 {
		return all, nil
	}
	processed, err := a.describeStacks(ctx, version, processing{templates: true}, "--sections", sections, "--components", strings.Join(slices.Sorted(maps.Keys(others)), ","))
	maps.Copy(all, processed)
	return all, err
}

// computedMembers are the members that Atmos adds: no manifest has them.
var computedMembers = []string{"atmos_cli_config", "sources", "component_info", "deps", "deps_all", "imports", "cli_args"}

// callsOut tells whether a description whose templates are text has one that calls out.
func (d description) callsOut() bool {
	calls := false
	for member, value := range d.given {
		if !slices.Contains(computedMembers, member) && calling.Match(value) {
			leaves("", value, func(_ string, value any) {
				text, _ := value.(string)
				calls = calls || callsOut(text)
			})
		}
	}
	return calls
}

// check is the error of a description that can't be used: these actions need a setting before
// Terraform runs, and it is a template that is not processed yet.
func (d description) check(name inventory.Name) error {
	if d.asText && d.listed() {
		var found string
		look := func(at string, value any) {
			leaves(at, value, func(at string, value any) {
				if text, is := value.(string); is && found == "" && strings.Contains(text, "{{") {
					found = at
				}
			})
		}
		var settings struct {
			GitHub       map[string]any `json:"github"`
			DependsOn    any            `json:"depends_on"`
			Integrations struct {
				GitHub struct {
					GitOps map[string]any `json:"gitops"`
				} `json:"github"`
			} `json:"integrations"`
		}
		if err := json.Unmarshal(d.given["settings"], &settings); err != nil {
			return err
		}
		for _, key := range []string{"actions_enabled", "actions_enabled_default"} {
			look("settings.github."+key, settings.GitHub[key])
		}
		look("settings.depends_on", settings.DependsOn)
		for _, key := range []string{"terraform-version", "opentofu-version", "audience", "artifact-storage", "storage", "role", "environment", "google", "azure", "plan-files", "destroy", "policy", "approvals"} {
			look("settings.integrations.github.gitops."+key, settings.Integrations.GitHub.GitOps[key])
		}
		for _, key := range []string{"component", "command", "metadata", "dependencies"} {
			look(key, d.given[key])
		}
		if found != "" {
			return problem.With(problem.Atmos, fmt.Errorf("%s in %s: `%s` is a template, and its value is needed before Terraform runs. If one template of a component calls atmos.Component, atmos.Store or a data source, none of its templates is processed before: write the value here, or read the other component with !terraform.output or !store instead", problem.Quote(name.Component), problem.Quote(name.Stack), found))
		}
	}
	return d.unfit
}
