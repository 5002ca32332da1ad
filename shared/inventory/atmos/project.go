// Package atmos asks Atmos for the targets of a repository that has an atmos.yaml.
//
// [Find] looks for atmos.yaml, [Project.Target] describes one component in one stack,
// [Project.Stacks] lists all, and [Project.Affected] compares two checkouts. None of them
// runs Terraform. [Project.Resolve] may: it has Atmos call the functions in a target's
// values, right before Terraform plans or applies them.
package atmos

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Project is a project of Atmos in a checkout.
type Project struct {
	Path string   // the executable
	Root string   // of the checkout, where Atmos runs
	Env  []string // all that it sees of the environment

	version *askedVersion
}

// New is Atmos, of which copies ask for the version once.
func New(path, root string, env []string) Project {
	return Project{Path: path, Root: root, Env: env, version: &askedVersion{}}
}

// Error says that Atmos failed.
type Error struct {
	Line string // what failed and what to do
	Said string // what Atmos said
	Err  error  // [ErrUnknownTarget], or nil
}

func (e *Error) Error() string { return e.Line }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Code is that of the cause, or of Atmos.
func (e *Error) Code() problem.Code { return cmp.Or(problem.CodeOf(e.Err), problem.Atmos) }

// description is what we read of `atmos describe component` and `describe stacks`.
type description struct {
	Info struct {
		Path string `json:"component_path"`
		Type string `json:"component_type"`
	} `json:"component_info"`
	Component   string                     `json:"component"`
	Command     string                     `json:"command"`
	Workspace   string                     `json:"workspace"`
	Vars        map[string]json.RawMessage `json:"vars"`
	Env         map[string]any             `json:"env"`
	Backend     any                        `json:"backend"`
	BackendType string                     `json:"backend_type"`
	Providers   any                        `json:"providers"`

	// Newer versions write these into files of the root module, or fetch it by them.
	Generate          any `json:"generate"`
	RequiredProviders any `json:"required_providers"`
	RequiredVersion   any `json:"required_version"`
	Source            any `json:"source"`
	Provision         any `json:"provision"`

	Config struct {
		Components struct {
			Terraform struct {
				AutoGenerateBackendFile *bool `json:"auto_generate_backend_file"`
			} `json:"terraform"`
		} `json:"components"`
	} `json:"atmos_cli_config"`
	Metadata struct {
		Type    string `json:"type"`
		Enabled *bool  `json:"enabled"`
		Locked  bool   `json:"locked"`
	} `json:"metadata"`
	Settings struct {
		GitHub struct {
			ActionsEnabled bool `json:"actions_enabled"`
		} `json:"github"`
		Integrations struct {
			GitHub struct {
				GitOps gitops `json:"gitops"`
			} `json:"github"`
		} `json:"integrations"`
		DependsOn dependencies `json:"depends_on"`
	} `json:"settings"`
	Dependencies struct {
		Components dependencies   `json:"components"`
		Files      dependentPaths `json:"files"`
		Folders    dependentPaths `json:"folders"`
	} `json:"dependencies"`

	given  map[string]json.RawMessage
	asText bool  // its templates are left as text; see list
	unfit  error // why it can't be used; see check
}

// inStacks are the members that a description must have in a list, so that nothing is
// taken for a default that a version of Atmos leaves out.
var inStacks = []string{"component", "settings", "metadata", "vars", "env", "backend", "backend_type", "providers", "command", "workspace"}

// lacking is the first of some members that is not there, or has no value that it can't
// do without; empty when there is none.
func (d description) lacking(members ...string) string {
	for _, name := range members {
		value, is := d.given[name]
		empty := string(value) == `""` || string(value) == "null"
		if !is || empty && slices.Contains([]string{"component", "workspace", "command"}, name) {
			return name
		}
	}
	return ""
}

// lacks is the error of a description without a member.
func (a Project) lacks(v Version, name inventory.Name, member string) error {
	return problem.With(problem.Atmos, fmt.Errorf("read how Atmos %s describes %s in %s: there is no `%s`, which these actions need: they were tried with Atmos %s to %s: install one of these, and report this", v, problem.Quote(name.Component), problem.Quote(name.Stack), member, Oldest, Newest))
}

// Target asks Atmos for one component in one stack. A component or stack that is
// not there is an [ErrUnknownTarget], with close names; any failure of Atmos is an
// *[AtmosError].
func (a Project) Target(ctx context.Context, component, stack string) (inventory.Target, error) {
	// Names that begin with - would be flags.
	for what, name := range map[string]string{"component": component, "stack": stack} {
		if strings.HasPrefix(name, "-") || !inventory.IsPrintable(name) || len(name) > inventory.MaxName {
			return inventory.Target{}, problem.With(problem.Atmos, fmt.Errorf("%s %s is no name that Atmos takes", what, problem.Quote(name)))
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

// processing says what Atmos does with templates and functions, or leaves as text.
type processing struct{ templates, functions bool }

// describe asks for all that Atmos knows of a component.
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

// flags ask for what is needed of a description, so that neither a version's defaults nor
// a project's choose its form.
func (v Version) flags(p processing) []string {
	flags := []string{"--format", "json", fmt.Sprintf("--process-templates=%t", p.templates), fmt.Sprintf("--process-functions=%t", p.functions)}
	if v.atLeast(Newest) { // an older one may not know it, and refuse
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

// askingEnv is an environment in which Atmos answers in the form that it is asked for:
// without a pager or colors, and with nothing but the answer on stdout. What says which
// project and configuration it reads stays as it is (ATMOS_CLI_CONFIG_PATH,
// ATMOS_BASE_PATH, ATMOS_PROFILE, ATMOS_EDITION, ATMOS_IDENTITY): Atmos reads the same
// when it runs Terraform.
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

var notFound = regexp.MustCompile(`Could not find the component .* in the stack `)

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
		return inventory.Target{}, errors.New("its env sets TF_DATA_DIR, which is chosen for each run, so that targets of one folder don't meet: remove it")
	}
	t := inventory.Target{
		Component: component, Stack: stack, Root: a.Root, Dir: dir, Workspace: d.Workspace,
		Settings: d.Settings.Integrations.GitHub.GitOps.settings(),
		Atmos: &inventory.AtmosComponent{
			Locked: d.Metadata.Locked, Command: d.Command, Vars: d.Vars, Env: d.Env, Version: version.String(),
			Resolved: a.resolved(d), Sections: d.sections(), AsText: d.asText, Sharing: d.sharing(name),
		},
	}
	if t.PlanFiles, err = d.Settings.Integrations.GitHub.GitOps.planFiles(dir); err != nil {
		return inventory.Target{}, err
	}
	switch {
	case d.disabled():
		t.Atmos.Skip = "metadata.enabled is false"
	case !d.Settings.GitHub.ActionsEnabled:
		t.Atmos.Skip = "settings.github.actions_enabled is not true"
	}
	t.DependsOn = d.dependsOn(t.Name(), func(string, stackContext) []string {
		t.Atmos.DependsElsewhere = true
		return nil
	})
	return t, nil
}

func (d description) disabled() bool { return d.Metadata.Enabled != nil && !*d.Metadata.Enabled }

// listed says that these actions plan the component: it is none that is abstract,
// disabled, or whose actions are off.
func (d description) listed() bool {
	return d.Metadata.Type != "abstract" && !d.disabled() && d.Settings.GitHub.ActionsEnabled
}

// sections are what of a description reaches Terraform, by the names that people know
// them by in a manifest. What no older version has is there only where it says something.
func (d description) sections() map[string]any {
	vars := make(map[string]any)
	for name, value := range d.Vars {
		vars[name] = decoded(value)
	}
	all := map[string]any{
		"vars": vars, "env": d.Env, "backend": d.Backend, "backend_type": d.BackendType,
		"providers": d.Providers, "command": d.Command, "component": d.Component,
	}
	for name, value := range map[string]any{
		"generate": d.Generate, "required_providers": d.RequiredProviders, "required_version": d.RequiredVersion,
		"source": d.Source, "provision": d.Provision,
	} {
		if text := canonical(value); text != "null" && text != "{}" && text != `""` && text != "[]" {
			all[name] = value
		}
	}
	return all
}

func decoded(content json.RawMessage) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return string(content) // it was JSON before
	}
	return value
}

// resolved is what of a description reaches Terraform, as canonical JSON. A path
// of this checkout would differ in another one.
func (a Project) resolved(d description) map[string][]string {
	all := map[string][]string{}
	sections := d.sections()
	if d.asText { // these are what templates read
		sections["settings"], sections["metadata"] = d.given["settings"], d.given["metadata"]
	}
	for name, value := range sections {
		all[strings.ReplaceAll(name, "_", " ")] = []string{strings.ReplaceAll(canonical(value), a.Root, ".")}
	}
	return all
}

// canonical is a value as JSON, which Go writes with sorted keys.
func canonical(value any) string {
	text, err := json.Marshal(value)
	if err == nil { // once more, since a RawMessage is kept as it was written
		var any any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err = decoder.Decode(&any); err == nil {
			text, err = json.Marshal(any)
		}
	}
	if err != nil {
		panic(err) // it was JSON before
	}
	return string(text)
}

// inCheckout is a folder as a path relative to the checkout. It may not be there
// yet, where Atmos brings a component as it runs.
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

// explain makes an error of what Atmos said of a component.
func (a Project) explain(ctx context.Context, component, stack, said string, err error) error {
	if ctx.Err() == nil && notFound.MatchString(readSaid(said).String()) {
		return &Error{Said: said, Err: inventory.ErrUnknownTarget, Line: fmt.Sprintf("%v: %s", inventory.ErrUnknownTarget, a.suggest(ctx, component, stack))}
	}
	return a.failed(ctx, fmt.Sprintf("describe %s in %s", problem.Quote(component), problem.Quote(stack)), said, err)
}

// failed is the error of what Atmos can't do, in its words where it has some.
func (a Project) failed(ctx context.Context, what, said string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("have Atmos %s: interrupted: %w", what, context.Cause(ctx))
	}
	words := readSaid(said).String()
	if words == "" {
		words = err.Error()
	}
	return &Error{Line: fmt.Sprintf("Atmos can't %s: %s", what, words), Said: said}
}

// suggest asks for all stacks, which is slow, and only done for a target that is
// not there.
func (a Project) suggest(ctx context.Context, component, stack string) string {
	var stacks map[string]struct {
		Components struct {
			Terraform map[string]any `json:"terraform"`
		} `json:"components"`
	}
	version, err := a.Version(ctx)
	if err != nil {
		return err.Error()
	}
	out, _, err := a.run(ctx, append([]string{"describe", "stacks", "--sections", "component"}, version.flags(processing{})...)...)
	if err != nil || json.Unmarshal(out, &stacks) != nil {
		return fmt.Sprintf("Atmos has no component %s in stack %s", problem.Quote(component), problem.Quote(stack))
	}
	in, ok := stacks[stack]
	if !ok {
		return fmt.Sprintf("Atmos has no stack %s: %s", problem.Quote(stack), problem.Suggest(stack, slices.Sorted(maps.Keys(stacks))))
	}
	return fmt.Sprintf("Atmos has no component %s in stack %s: %s", problem.Quote(component), problem.Quote(stack), problem.Suggest(component, slices.Sorted(maps.Keys(in.Components.Terraform))))
}
