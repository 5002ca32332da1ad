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
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
	"github.com/terraform-gitops/gitops/shared/inventory/gitops"
	"github.com/terraform-gitops/gitops/shared/problem"
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
	Target inventory.Target
	Reason string
}

func (e *Skipped) Error() string {
	return fmt.Sprintf("%s is skipped: %s", e.Target, e.Reason)
}

// openAtmos finds Atmos, and what it needs of the environment.
func openAtmos(environ []string, env map[string]string, in Inputs, root string) (atmos.Project, source, error) {
	from := source{name: "Atmos' settings.integrations.github.gitops", env: maps.Clone(env)}
	if from.env == nil {
		from.env = map[string]string{}
	}
	// Nothing that Atmos asks the network or a person for by itself.
	maps.Copy(from.env, map[string]string{"ATMOS_TELEMETRY_ENABLED": "false", "ATMOS_VERSION_CHECK_ENABLED": "false", "ATMOS_PAGER": "false"})
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
		return atmos.Project{}, from, problem.With(problem.Atmos, errors.New("this repository is one of Atmos, which is not on PATH: install it in a step before this one, such as cloudposse/github-action-setup-atmos, or give the input `config` for a gitops.yaml"))
	}
	from.atmos = path
	return atmos.New(path, root, terraform.Environ(environ, from.env, nil)), from, nil
}

// knowAtmos asks Atmos for its version, once, and says when nobody has tried that.
func (rp *Repository) knowAtmos(ctx context.Context) error {
	_, err := rp.atmosVersion.Get("", func() (atmos.Version, error) {
		version, err := rp.atmos.Version(ctx)
		tell(rp.runtime, "atmos version", err)
		if untried := version.Untried(); err == nil && untried != "" {
			rp.runtime.Notice(gha.Annotation{Message: untried})
		}
		return version, err
	})
	return err
}

// resolve has Atmos call the functions of the target, in the environment of its
// Terraform.
func (j *Job) resolve(ctx context.Context, env []string) error {
	env = append(slices.Clone(env), "TF_DATA_DIR="+j.dataDir())
	if j.Inputs.Identity != "" {
		env = append(env, "ATMOS_IDENTITY="+j.Inputs.Identity)
	}
	if err := j.repository.atmos.Resolve(ctx, &j.Target, env); err != nil {
		tell(j.runtime, "atmos describe component", err)
		return err
	}
	j.runtime.Redact(secrets(slices.Concat(j.environ, variables(j.Target)), j.inRoot(j.Target.Dir))...)
	return nil
}

// tell shows what Atmos said of a failure.
func tell(r *gha.Runtime, title string, err error) {
	var failed *atmos.Error
	if errors.As(err, &failed) {
		log := r.Group(title)
		defer log.Close()
		fmt.Fprintln(log, strings.TrimSpace(failed.Said))
	}
}

// find resolves a target. What Atmos says of a failure is in the log.
func (rp *Repository) find(ctx context.Context, name inventory.Name) (inventory.Target, error) {
	if rp.atmos == nil {
		config, err := rp.loadConfig()
		if err != nil {
			return inventory.Target{}, err
		}
		t, err := config.Target(name.Component, name.Stack)
		if err != nil {
			if lacking := config.Lacking(ctx, &rp.tracked, name); lacking != nil {
				err = lacking
			}
		}
		return t, err
	}
	if err := rp.knowAtmos(ctx); err != nil {
		return inventory.Target{}, err
	}
	t, err := rp.atmos.Target(ctx, name.Component, name.Stack)
	if err != nil {
		tell(rp.runtime, "atmos describe component", err)
		return inventory.Target{}, err
	}
	if t.Atmos.Skip != "" {
		return inventory.Target{}, &Skipped{Target: t, Reason: t.Atmos.Skip}
	}
	if t.Atmos.DependsElsewhere {
		all, err := rp.Targets(ctx)
		if err != nil {
			return inventory.Target{}, err
		}
		for _, l := range all {
			if l.Name() == name {
				t.DependsOn = l.DependsOn
			}
		}
	}
	return t, nil
}

// loadConfig reads gitops.yaml.
func (rp *Repository) loadConfig() (*gitops.Config, error) {
	return rp.config.Get(rp.source.name, func() (*gitops.Config, error) {
		config, err := gitops.Load(rp.Context.Workspace, rp.source.name)
		if errors.Is(err, os.ErrNotExist) {
			err = rp.orEmpty(problem.With(problem.Config, fmt.Errorf("there is no %s in the workspace, and no atmos.yaml: add one, or name it with the input `config` or `atmos-config-path`: %w", rp.source.name, err)))
		}
		return config, err
	})
}

// orEmpty is the error of a file that is not there, or the reason: no checkout.
func (rp *Repository) orEmpty(err error) error {
	entries, failed := os.ReadDir(rp.Context.Workspace)
	switch {
	case failed != nil:
		return problem.With(problem.Checkout, fmt.Errorf("read the workspace: %w", failed))
	case len(entries) == 0:
		return problem.With(problem.Checkout, errors.New("the workspace is empty: add an `actions/checkout` step before this one"))
	}
	if _, gone := os.Stat(filepath.Join(rp.Context.Workspace, ".git")); rp.inputs.Path == "" && gone != nil {
		if folder := checkedOutIn(rp.Context.Workspace); folder != "" {
			return problem.With(problem.Checkout, fmt.Errorf("the repository is checked out in the folder %s of the workspace, and not in the workspace itself: give the input `path: %[1]s`, or leave `path` of actions/checkout out", folder))
		}
	}
	return err
}

// variables are the values that Atmos gives to Terraform's variables, in a file and in
// the environment, in the form of the latter.
func variables(t inventory.Target) (environ []string) {
	if t.Atmos == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(t.Atmos.Vars)) {
		value := string(t.Atmos.Vars[name])
		var text string
		if json.Unmarshal(t.Atmos.Vars[name], &text) == nil {
			value = text
		}
		if atmos.IsFunction(value) { // it is not called yet
			continue
		}
		environ = append(environ, "TF_VAR_"+name+"="+value)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Atmos.Env)) {
		if text, ok := t.Atmos.Env[name].(string); ok && atmos.IsFunction(text) {
			continue
		}
		environ = append(environ, fmt.Sprintf("%s=%v", name, t.Atmos.Env[name]))
	}
	return environ
}
