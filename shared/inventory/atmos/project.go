// Package atmos asks Atmos for the targets of a repository that has an atmos.yaml.
//
// [Find] looks for atmos.yaml, [Project.Target] describes one component in one stack,
// [Project.Stacks] lists all targets, and [Project.Affected] compares two checkouts. None of
// these runs Terraform or needs credentials. [Project.Resolve] may: it has Atmos call the
// functions in a target's values, right before Terraform plans or applies.
package atmos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Project is a checkout with an atmos.yaml.
type Project struct {
	Path string   // the executable of Atmos
	Root string   // the checkout's folder, in which Atmos runs
	Env  []string // the whole environment of Atmos

	version *askedVersion
}

// New is a project. Its copies share the answers about Atmos' version.
func New(path, root string, env []string) Project {
	return Project{Path: path, Root: root, Env: env, version: &askedVersion{}}
}

// Target asks Atmos for one component in one stack. If Atmos does not have it, the error wraps
// [inventory.ErrUnknownTarget] and suggests names. Any failure of Atmos is an *[Error].
func (a Project) Target(ctx context.Context, component, stack string) (inventory.Target, error) {
	// Atmos would take a name that begins with - for a flag.
	for what, name := range map[string]string{"component": component, "stack": stack} {
		if strings.HasPrefix(name, "-") || !inventory.IsPrintable(name) || len(name) > inventory.MaxName {
			return inventory.Target{}, problem.With(problem.Atmos, fmt.Errorf("%s %s is not a name that Atmos accepts", what, problem.Quote(name)))
		}
	}
	version, err := a.Version(ctx)
	if err != nil {
		return inventory.Target{}, err
	}
	d, err := a.list(ctx, version, inventory.Name{Component: component, Stack: stack})
	if err != nil {
		return inventory.Target{}, err
	}
	t, err := a.target(version, d, component, stack)
	if err != nil && problem.CodeOf(err) == "" {
		err = problem.With(problem.Atmos, fmt.Errorf("%s in %s: %w", problem.Quote(component), problem.Quote(stack), err))
	}
	return t, err
}

// processing says whether Atmos processes templates and calls functions. Else it leaves them as
// text.
type processing struct{ templates, functions bool }

// describe asks for everything that Atmos knows of a component.
func (a Project) describe(ctx context.Context, version Version, name inventory.Name, p processing) (d description, err error) {
	args := append([]string{"describe", "component", name.Component, "-s", name.Stack, "--query", "."}, version.flags(p)...)
	if version.atLeast(Newest) {
		args = append(args, "--provenance=false")
	}
	out, said, err := a.run(ctx, args...)
	if err != nil {
		return d, a.explain(ctx, name.Component, name.Stack, said, err)
	}
	if err := json.Unmarshal(out, &d); err != nil {
		return d, problem.With(problem.Atmos, fmt.Errorf("read how Atmos %s describes %s in %s: %w", version, problem.Quote(name.Component), problem.Quote(name.Stack), err))
	}
	return d, nil
}

// flags ask for a description in the form that is needed here, whatever the defaults of the
// version and of the project are.
func (v Version) flags(p processing) []string {
	flags := []string{"--format", "json", fmt.Sprintf("--process-templates=%t", p.templates), fmt.Sprintf("--process-functions=%t", p.functions)}
	if v.atLeast(Newest) { // an older version may refuse the flag
		flags = append(flags, "--error-mode", "strict")
	}
	return flags
}

func (a Project) run(ctx context.Context, args ...string) (out []byte, said string, err error) {
	cmd := exec.CommandContext(ctx, a.Path, args...)
	cmd.Dir, cmd.Env = a.Root, askingEnv(a.Env)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.Bytes(), stderr.String(), err
}

// askingEnv is an environment in which Atmos prints nothing but its answer on stdout, without
// pager and colors. It keeps the variables that say which project and configuration Atmos
// reads (ATMOS_CLI_CONFIG_PATH, ATMOS_BASE_PATH, ATMOS_PROFILE, ATMOS_EDITION,
// ATMOS_IDENTITY), since Atmos reads the same when it runs Terraform.
func askingEnv(env []string) []string {
	fixed := map[string]string{
		"ATMOS_PAGER": "false", "ATMOS_LOGS_LEVEL": "Warning", "ATMOS_LOGS_FILE": "/dev/stderr", "NO_COLOR": "1", "ATMOS_COLOR": "false",
		"ATMOS_DESCRIBE_ERROR_MODE": "strict", "ATMOS_TELEMETRY_ENABLED": "false", "ATMOS_VERSION_CHECK_ENABLED": "false",
	}
	left := []string{"PAGER", "FORCE_COLOR", "CLICOLOR_FORCE", "ATMOS_FORCE_COLOR", "ATMOS_FORCE_TTY", "ATMOS_VERBOSE", "ATMOS_DEBUG"}
	var all []string
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		if _, is := fixed[name]; !is && !slices.Contains(left, name) {
			all = append(all, entry)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		all = append(all, name+"="+fixed[name])
	}
	return all
}

func (a Project) target(version Version, d description, component, stack string) (inventory.Target, error) {
	name := inventory.Name{Component: component, Stack: stack}
	switch {
	case d.lacking("component_info") != "":
		return inventory.Target{}, a.lacks(version, name, "component_info")
	case d.Info.Path == "":
		return inventory.Target{}, a.lacks(version, name, "component_info.component_path")
	case d.Info.Type == "":
		return inventory.Target{}, a.lacks(version, name, "component_info.component_type")
	case d.Info.Type != "terraform":
		return inventory.Target{}, fmt.Errorf("it is a component of %s: these actions plan and apply Terraform and OpenTofu", d.Info.Type)
	}
	if member := d.lacking(inStacks...); member != "" {
		return inventory.Target{}, a.lacks(version, name, member)
	}
	if err := d.check(name); err != nil {
		return inventory.Target{}, err
	}
	if d.Metadata.Type == "abstract" {
		return inventory.Target{}, errors.New("it is abstract (metadata.type), so there is nothing to plan: name a component that inherits from it")
	}
	dir, err := inCheckout(a.Root, absolute(a.Root, d.Info.Path))
	if err != nil {
		return inventory.Target{}, err
	}
	if _, ok := d.Env["TF_DATA_DIR"]; ok {
		return inventory.Target{}, errors.New("its env sets TF_DATA_DIR, which these actions set, so that targets with the same folder don't share data: remove it")
	}
	t := inventory.Target{
		Component: component, Stack: stack, Root: a.Root, Dir: dir, Workspace: d.Workspace,
		Settings: d.Settings.Integrations.GitHub.GitOps.settings(), Destroy: d.Settings.Integrations.GitHub.GitOps.Destroy,
		Atmos: &inventory.AtmosComponent{
			Locked: d.Metadata.Locked, Command: d.Command, Vars: d.Vars, Env: d.Env, Version: version.String(),
			Resolved: a.resolved(d), Sections: d.sections(), AsText: d.asText, Sharing: d.sharing(name), Manifest: d.Manifest,
		},
	}
	if err := d.Settings.Integrations.GitHub.GitOps.check(); err != nil {
		if d.Manifest != "" {
			err = fmt.Errorf("%w (stack manifest %s, or what it imports)", err, problem.Quote(d.Manifest))
		}
		return inventory.Target{}, err
	}
	if t.PlanFiles, err = d.Settings.Integrations.GitHub.GitOps.planFiles(dir); err != nil {
		return inventory.Target{}, err
	}
	if t.DriftIgnore, err = d.Settings.Integrations.GitHub.GitOps.driftIgnore(); err != nil {
		return inventory.Target{}, err
	}
	switch {
	case d.disabled():
		t.Atmos.Skip = "metadata.enabled is false"
	case !d.actionsEnabled():
		t.Atmos.Skip = notEnabled
	}
	t.DependsOn = d.dependsOn(t.Name(), func(string, stackContext) []string {
		t.Atmos.DependsElsewhere = true
		return nil
	})
	// Others may have to be destroyed before.
	t.Atmos.DependsElsewhere = t.Atmos.DependsElsewhere || t.Destroy
	return t, nil
}

// notEnabled says why a component is skipped.
const notEnabled = "settings.github.actions_enabled is not true"

// inCheckout makes the path of a folder relative to the checkout. The folder may be missing,
// since Atmos can fetch a component when it runs it.
func inCheckout(root, dir string) (string, error) {
	if resolved, err := filepath.EvalSymlinks(root); err == nil {
		root = resolved
	}
	if resolved, err := filepath.EvalSymlinks(dir); err == nil {
		dir = resolved
	}
	relative, err := filepath.Rel(root, dir)
	if err != nil || !filepath.IsLocal(relative) {
		return "", fmt.Errorf("its root module is in %s, which is outside the checkout %s: set components.terraform.base_path in atmos.yaml", problem.Quote(dir), problem.Quote(root))
	}
	return filepath.ToSlash(relative), nil
}
