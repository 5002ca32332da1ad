package target

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

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Atmos is a project of Atmos in a checkout.
type Atmos struct {
	Path string   // the executable
	Root string   // of the checkout, where Atmos runs
	Env  []string // all that it sees of the environment

	version *askedVersion
}

// NewAtmos is Atmos, of which copies ask for the version once.
func NewAtmos(path, root string, env []string) Atmos {
	return Atmos{Path: path, Root: root, Env: env, version: &askedVersion{}}
}

// AtmosComponent is what of a target only Atmos knows.
type AtmosComponent struct {
	// Skip says why the target is not to be planned or applied; empty: it is.
	Skip string
	// Locked says that it may be planned, but not applied.
	Locked bool
	// DependsElsewhere says that it also depends on targets that are named by variables of
	// other stacks. They are not in DependsOn: only a list of all tells which these are.
	DependsElsewhere bool
	// Command runs Terraform or OpenTofu: a name on PATH, or a path.
	Command string
	// Vars are the values of variables, as JSON, by name. Those of functions are the
	// functions' text until [Atmos.Resolve].
	Vars map[string]json.RawMessage
	// Env is what Atmos adds to Terraform's environment: texts and other scalars. The
	// same is true of functions.
	Env map[string]any
	// Workspace is the one that Atmos selects, where only [Atmos.Resolve] tells; else empty.
	Workspace string
	// Version is that of Atmos.
	Version AtmosVersion

	asText   bool                // its templates are not processed until Resolve
	resolved map[string][]string // what shapes the plan, for the digest
	sections map[string]any      // the same, as Atmos has it before it calls functions
}

// AtmosError says that Atmos failed.
type AtmosError struct {
	Line string // what failed and what to do
	Said string // what Atmos said
	Err  error  // [ErrUnknownTarget], or nil
}

func (e *AtmosError) Error() string { return e.Line }

// Unwrap returns the cause.
func (e *AtmosError) Unwrap() error { return e.Err }

// Code is that of the cause, or of Atmos.
func (e *AtmosError) Code() problem.Code { return cmp.Or(problem.CodeOf(e.Err), problem.Atmos) }

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
func (a Atmos) lacks(v AtmosVersion, name Name, member string) error {
	return problem.With(problem.Atmos, fmt.Errorf("Atmos %s describes %s in %s without `%s`, which these actions need: they were tried with Atmos %s to %s: install one of these, and report this", v, quote(name.Component), quote(name.Stack), member, OldestAtmos, NewestAtmos))
}

// Target asks Atmos for one component in one stack. A component or stack that is
// not there is an [ErrUnknownTarget], with close names; any failure of Atmos is an
// *[AtmosError].
func (a Atmos) Target(ctx context.Context, component, stack string) (Target, error) {
	// Names that begin with - would be flags.
	for what, name := range map[string]string{"component": component, "stack": stack} {
		if strings.HasPrefix(name, "-") || !isPrintable(name) || len(name) > maxName {
			return Target{}, problem.With(problem.Atmos, fmt.Errorf("%s %s is no name that Atmos takes", what, quote(name)))
		}
	}
	version, err := a.Version(ctx)
	if err != nil {
		return Target{}, err
	}
	d, err := a.list(ctx, version, Name{component, stack})
	if err != nil {
		return Target{}, err
	}
	t, err := a.target(version, d, component, stack)
	if err != nil && problem.CodeOf(err) == "" {
		err = problem.With(problem.Atmos, fmt.Errorf("%s in %s: %w", quote(component), quote(stack), err))
	}
	return t, err
}

// processing says what Atmos does with templates and functions, or leaves as text.
type processing struct{ templates, functions bool }

// describe asks for all that Atmos knows of a component.
func (a Atmos) describe(ctx context.Context, version AtmosVersion, name Name, p processing) (d description, err error) {
	args := append([]string{"describe", "component", name.Component, "-s", name.Stack, "--query", "."}, version.flags(p)...)
	if version.atLeast(NewestAtmos) {
		args = append(args, "--provenance=false")
	}
	out, said, err := a.run(ctx, args...)
	if err != nil {
		return d, a.explain(ctx, name.Component, name.Stack, said, err)
	}
	if err := json.Unmarshal(out, &d); err != nil {
		return d, problem.With(problem.Atmos, fmt.Errorf("read how Atmos %s describes %s in %s: %w", version, quote(name.Component), quote(name.Stack), err))
	}
	return d, nil
}

// flags ask for what is needed of a description, so that neither a version's defaults nor
// a project's choose its form.
func (v AtmosVersion) flags(p processing) []string {
	flags := []string{"--format", "json", fmt.Sprintf("--process-templates=%t", p.templates), fmt.Sprintf("--process-functions=%t", p.functions)}
	if v.atLeast(NewestAtmos) { // an older one may not know it, and refuse
		flags = append(flags, "--error-mode", "strict")
	}
	return flags
}

func (a Atmos) run(ctx context.Context, args ...string) (out []byte, said string, err error) {
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

func (a Atmos) target(version AtmosVersion, d description, component, stack string) (Target, error) {
	name := Name{component, stack}
	switch {
	case d.lacking("component_info") != "":
		return Target{}, a.lacks(version, name, "component_info")
	case d.Info.Path == "":
		return Target{}, a.lacks(version, name, "component_info.component_path")
	case d.Info.Type == "":
		return Target{}, a.lacks(version, name, "component_info.component_type")
	case d.Info.Type != "terraform":
		return Target{}, fmt.Errorf("it is a component of %s: these actions plan and apply Terraform and OpenTofu", d.Info.Type)
	}
	if member := d.lacking(inStacks...); member != "" {
		return Target{}, a.lacks(version, name, member)
	}
	if err := d.check(name); err != nil {
		return Target{}, err
	}
	if d.Metadata.Type == "abstract" {
		return Target{}, errors.New("it is abstract (metadata.type), so there is nothing to plan: name a component that inherits from it")
	}
	dir, err := inCheckout(a.Root, absolute(a.Root, d.Info.Path))
	if err != nil {
		return Target{}, err
	}
	if _, ok := d.Env["TF_DATA_DIR"]; ok {
		return Target{}, errors.New("its env sets TF_DATA_DIR, which is chosen for each run, so that targets of one folder don't meet: remove it")
	}
	t := Target{
		Component: component, Stack: stack, Root: a.Root, Dir: dir, Workspace: d.Workspace,
		Settings: d.Settings.Integrations.GitHub.GitOps.settings(),
		Atmos: &AtmosComponent{
			Locked: d.Metadata.Locked, Command: d.Command, Vars: d.Vars, Env: d.Env, Version: version,
			resolved: a.resolved(d), sections: d.sections(), asText: d.asText,
		},
	}
	if t.PlanFiles, err = d.Settings.Integrations.GitHub.GitOps.planFiles(dir); err != nil {
		return Target{}, err
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
func (a Atmos) resolved(d description) map[string][]string {
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
		return "", fmt.Errorf("Atmos has its root module in %s, which is outside the checkout %s: set components.terraform.base_path in atmos.yaml", quote(dir), quote(root))
	}
	return filepath.ToSlash(relative), nil
}

// explain makes an error of what Atmos said of a component.
func (a Atmos) explain(ctx context.Context, component, stack, said string, err error) error {
	if ctx.Err() == nil && notFound.MatchString(readSaid(said).String()) {
		return &AtmosError{Said: said, Err: ErrUnknownTarget, Line: fmt.Sprintf("%v: %s", ErrUnknownTarget, a.suggest(ctx, component, stack))}
	}
	return a.failed(ctx, fmt.Sprintf("describe %s in %s", quote(component), quote(stack)), said, err)
}

// failed is the error of what Atmos can't do, in its words where it has some.
func (a Atmos) failed(ctx context.Context, what, said string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("have Atmos %s: interrupted: %w", what, context.Cause(ctx))
	}
	words := readSaid(said).String()
	if words == "" {
		words = err.Error()
	}
	return &AtmosError{Line: fmt.Sprintf("Atmos can't %s: %s", what, words), Said: said}
}

// suggest asks for all stacks, which is slow, and only done for a target that is
// not there.
func (a Atmos) suggest(ctx context.Context, component, stack string) string {
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
		return fmt.Sprintf("Atmos has no component %s in stack %s", quote(component), quote(stack))
	}
	in, ok := stacks[stack]
	if !ok {
		return fmt.Sprintf("Atmos has no stack %s: %s", quote(stack), hint(stack, slices.Sorted(maps.Keys(stacks))))
	}
	return fmt.Sprintf("Atmos has no component %s in stack %s: %s", quote(component), quote(stack), hint(component, slices.Sorted(maps.Keys(in.Components.Terraform))))
}
