package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/target"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// gitopsFile is the configuration of a repository without Atmos.
const gitopsFile = "gitops.yaml"

// source is where the target and its settings come from.
type source struct {
	name  string            // for people
	atmos string            // Atmos' executable; empty for gitops.yaml
	env   map[string]string // what Atmos needs of the environment
}

// Skipped says that the target's settings leave it out: nothing is done, and
// nothing has failed.
type Skipped struct {
	Target target.Target
	Reason string
}

func (e *Skipped) Error() string {
	return fmt.Sprintf("%s is skipped: %s", e.Target, e.Reason)
}

// Result says so to the workflow and its readers; outputs are the action's.
func (e *Skipped) Result(r *gha.Runtime, outputs map[string]string) Result {
	r.Notice(gha.Annotation{Message: e.Error()})
	summary := fmt.Sprintf("⏭️ %s in %s is skipped: %s.\n", report.Code(e.Target.Component), report.Code(e.Target.Stack), report.Text(e.Reason))
	return Result{Summary: summary, Outputs: outputs}
}

// find resolves the target. Atmos' configuration, where there is one, comes before
// gitops.yaml, unless an input names that.
func find(ctx context.Context, r *gha.Runtime, environ []string, in Inputs, root string) (target.Target, source, error) {
	if in.Config == "" {
		env, found, err := target.FindAtmos(root, in.AtmosConfig, environ)
		if err != nil {
			return target.Target{}, source{}, err
		}
		if found {
			if _, err := os.Stat(filepath.Join(root, gitopsFile)); err == nil {
				r.Notice(gha.Annotation{Message: "This repository has both atmos.yaml and gitops.yaml: Atmos' targets and settings are used. For the other, give the input `config`."})
			}
			return askAtmos(ctx, r, environ, env, in, root)
		}
		in.Config = gitopsFile
	}
	from := source{name: in.Config}
	config, err := target.Load(root, in.Config)
	if errors.Is(err, os.ErrNotExist) {
		return target.Target{}, from, fmt.Errorf("there is no %s in the workspace, and no atmos.yaml: add one, or name it with the input `config` or `atmos-config-path`: %w", in.Config, err)
	} else if err != nil {
		return target.Target{}, from, err
	}
	t, err := config.Target(in.Component, in.Stack)
	return t, from, err
}

// openAtmos finds Atmos, and what it needs of the environment.
func openAtmos(environ []string, env map[string]string, in Inputs, root string) (target.Atmos, source, error) {
	from := source{name: "Atmos' settings.integrations.github.gitops", env: maps.Clone(env)}
	if from.env == nil {
		from.env = map[string]string{}
	}
	from.env["ATMOS_TELEMETRY_ENABLED"] = "false"
	if in.Identity != "" {
		// Atmos signs in with GitHub's token by itself, for whoever it runs.
		for _, entry := range environ {
			if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "ACTIONS_ID_TOKEN_REQUEST_") {
				from.env[name] = value
			}
		}
	}
	path, err := exec.LookPath("atmos")
	if err != nil {
		return target.Atmos{}, from, errors.New("this repository is one of Atmos, which is not on PATH: install it in a step before this one, such as cloudposse/github-action-setup-atmos, or give the input `config` for a gitops.yaml")
	}
	from.atmos = path
	return target.Atmos{Path: path, Root: root, Env: terraform.Environ(environ, from.env, nil)}, from, nil
}

// tell shows what Atmos said of a failure.
func tell(r *gha.Runtime, title string, err error) {
	var failed *target.AtmosError
	if errors.As(err, &failed) {
		log := r.Group(title)
		defer log.Close()
		fmt.Fprintln(log, strings.TrimSpace(failed.Said))
	}
}

// askAtmos has Atmos describe the target. What it says of a failure is in the log.
func askAtmos(ctx context.Context, r *gha.Runtime, environ []string, env map[string]string, in Inputs, root string) (target.Target, source, error) {
	atmos, from, err := openAtmos(environ, env, in, root)
	if err != nil {
		return target.Target{}, from, err
	}
	t, err := atmos.Target(ctx, in.Component, in.Stack)
	if err != nil {
		tell(r, "atmos describe component", err)
		return target.Target{}, from, err
	}
	if t.Atmos.Skip != "" {
		return target.Target{}, from, &Skipped{Target: t, Reason: t.Atmos.Skip}
	}
	return t, from, nil
}

// variables are the values that Atmos gives to Terraform's variables, in a file and in
// the environment, in the form of the latter.
func variables(t target.Target) (environ []string) {
	if t.Atmos == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(t.Atmos.Vars)) {
		value := string(t.Atmos.Vars[name])
		var text string
		if json.Unmarshal(t.Atmos.Vars[name], &text) == nil {
			value = text
		}
		environ = append(environ, "TF_VAR_"+name+"="+value)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Atmos.Env)) {
		environ = append(environ, fmt.Sprintf("%s=%v", name, t.Atmos.Env[name]))
	}
	return environ
}
