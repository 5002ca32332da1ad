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

	goversion "github.com/hashicorp/go-version"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// OldestAtmos is the oldest Atmos that is known to work.
const OldestAtmos = "1.196.0"

// Atmos is a project of Atmos in a checkout.
type Atmos struct {
	Path string   // the executable
	Root string   // of the checkout, where Atmos runs
	Env  []string // all that it sees of the environment
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
	// Vars are the values of variables, as JSON, by name.
	Vars map[string]json.RawMessage
	// Env is what Atmos adds to Terraform's environment: texts and other scalars.
	Env map[string]any

	resolved map[string][]string // what shapes the plan, for the digest
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

// description is what we read of `atmos describe component`.
type description struct {
	Config struct {
		Components struct {
			Terraform struct {
				UserAgent string `json:"append_user_agent"`
			} `json:"terraform"`
		} `json:"components"`
	} `json:"atmos_cli_config"`
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
	Metadata    struct {
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
		Components dependencies `json:"components"`
	} `json:"dependencies"`
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
	out, said, err := a.run(ctx, "describe", "component", component, "-s", stack, "--format", "json", "--query", ".")
	if err != nil {
		return Target{}, a.explain(ctx, component, stack, said, err)
	}
	var d description
	decoder := json.NewDecoder(bytes.NewReader(out))
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		return Target{}, problem.With(problem.Atmos, fmt.Errorf("read how Atmos describes %s in %s: %w", quote(component), quote(stack), err))
	}
	t, err := a.target(d, component, stack)
	if err != nil {
		return Target{}, problem.With(problem.Atmos, fmt.Errorf("%s in %s: %w", quote(component), quote(stack), err))
	}
	return t, nil
}

func (a Atmos) run(ctx context.Context, args ...string) (out []byte, said string, err error) {
	cmd := exec.CommandContext(ctx, a.Path, args...)
	cmd.Dir, cmd.Env = a.Root, a.Env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.Bytes(), stderr.String(), err
}

var (
	agent         = regexp.MustCompile(`^Atmos/([0-9][^ ]*) `)
	notFound      = regexp.MustCompile(`Could not find the component .* in the stack `)
	errorHeadings = regexp.MustCompile(`(?m)^#+ .*$`)
)

func (a Atmos) target(d description, component, stack string) (Target, error) {
	if found := agent.FindStringSubmatch(d.Config.Components.Terraform.UserAgent); found != nil {
		if v, err := goversion.NewVersion(found[1]); err == nil && v.LessThan(goversion.Must(goversion.NewVersion(OldestAtmos))) {
			return Target{}, fmt.Errorf("the runner has Atmos %s: install %s or newer, the oldest that is known to work", found[1], OldestAtmos)
		}
	}
	if d.Info.Type != "" && d.Info.Type != "terraform" {
		return Target{}, fmt.Errorf("it is a component of %s: these actions plan and apply Terraform and OpenTofu", d.Info.Type)
	}
	if d.Metadata.Type == "abstract" {
		return Target{}, errors.New("it is abstract (metadata.type), so there is nothing to plan: name a component that inherits from it")
	}
	dir, err := inCheckout(a.Root, d.Info.Path)
	if err != nil {
		return Target{}, err
	}
	if _, ok := d.Env["TF_DATA_DIR"]; ok {
		return Target{}, errors.New("its env sets TF_DATA_DIR, which is chosen for each run, so that targets of one folder don't meet: remove it")
	}
	t := Target{
		Component: component, Stack: stack, Root: a.Root, Dir: dir, Workspace: d.Workspace,
		Settings: d.Settings.Integrations.GitHub.GitOps.settings(),
		Atmos:    &AtmosComponent{Locked: d.Metadata.Locked, Command: d.Command, Vars: d.Vars, Env: d.Env, resolved: a.resolved(d)},
	}
	switch {
	case d.Metadata.Enabled != nil && !*d.Metadata.Enabled:
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

// resolved is what of a description reaches Terraform, as canonical JSON. A path
// of this checkout would differ in another one.
func (a Atmos) resolved(d description) map[string][]string {
	all := map[string][]string{}
	for name, value := range map[string]any{
		"vars": d.Vars, "env": d.Env, "backend": d.Backend, "backend type": d.BackendType,
		"providers": d.Providers, "command": d.Command, "component": d.Component,
	} {
		all[name] = []string{strings.ReplaceAll(canonical(value), a.Root, ".")}
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

// explain makes an error of what Atmos said.
func (a Atmos) explain(ctx context.Context, component, stack, said string, err error) error {
	words := strings.TrimSpace(errorHeadings.ReplaceAllString(said, ""))
	failed := &AtmosError{Said: said}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("ask Atmos for %s in %s: interrupted: %w", quote(component), quote(stack), context.Cause(ctx))
	case notFound.MatchString(said):
		failed.Err = ErrUnknownTarget
		failed.Line = fmt.Sprintf("%v: %s", ErrUnknownTarget, a.suggest(ctx, component, stack))
	case words == "":
		failed.Line = fmt.Sprintf("Atmos can't describe %s in %s: %v", quote(component), quote(stack), err)
	default:
		failed.Line = fmt.Sprintf("Atmos can't describe %s in %s: %s", quote(component), quote(stack), oneLine(words))
	}
	return failed
}

// suggest asks for all stacks, which is slow, and only done for a target that is
// not there.
func (a Atmos) suggest(ctx context.Context, component, stack string) string {
	var stacks map[string]struct {
		Components struct {
			Terraform map[string]any `json:"terraform"`
		} `json:"components"`
	}
	out, _, err := a.run(ctx, "describe", "stacks", "--format", "json", "--sections", "component")
	if err != nil || json.Unmarshal(out, &stacks) != nil {
		return fmt.Sprintf("Atmos has no component %s in stack %s", quote(component), quote(stack))
	}
	in, ok := stacks[stack]
	if !ok {
		return fmt.Sprintf("Atmos has no stack %s: %s", quote(stack), hint(stack, slices.Sorted(maps.Keys(stacks))))
	}
	return fmt.Sprintf("Atmos has no component %s in stack %s: %s", quote(component), quote(stack), hint(component, slices.Sorted(maps.Keys(in.Components.Terraform))))
}
