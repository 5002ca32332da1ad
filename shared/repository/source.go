package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
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

// Source is where the target and its settings come from.
type Source struct {
	Name  string            // for people
	Atmos string            // Atmos' executable; empty for gitops.yaml
	Env   map[string]string // what Atmos needs of the environment
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
func openAtmos(environ []string, env map[string]string, in Inputs, root string) (atmos.Project, Source, error) {
	from := Source{Name: "Atmos' settings.integrations.github.gitops", Env: maps.Clone(env)}
	if from.Env == nil {
		from.Env = map[string]string{}
	}
	// Nothing that Atmos asks the network or a person for by itself.
	maps.Copy(from.Env, map[string]string{"ATMOS_TELEMETRY_ENABLED": "false", "ATMOS_VERSION_CHECK_ENABLED": "false", "ATMOS_PAGER": "false"})
	if in.Identity != "" {
		// Atmos signs in with GitHub's token by itself, for whoever it runs.
		for _, entry := range environ {
			if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "ACTIONS_ID_TOKEN_REQUEST_") {
				from.Env[name] = value
			}
		}
	}
	path, err := atmos.Executable()
	if err != nil {
		return atmos.Project{}, from, err
	}
	from.Atmos = path
	return atmos.New(path, root, terraform.Environ(environ, from.Env, nil)), from, nil
}

// knowAtmos asks Atmos for its version, once, and says when nobody has tried that.
func (rp *Repository) knowAtmos(ctx context.Context) error {
	_, err := rp.atmosVersion.Get("", func() (atmos.Version, error) {
		version, err := rp.Atmos.Version(ctx)
		tell(rp.Runtime, "atmos version", err)
		if untried := version.Untried(); err == nil && untried != "" {
			rp.Runtime.Notice(gha.Annotation{Message: untried})
		}
		return version, err
	})
	return err
}

// ResolveAtmos has Atmos call the functions of a target, in this environment, and process
// its templates.
func (rp *Repository) ResolveAtmos(ctx context.Context, t *inventory.Target, environ []string) error {
	err := rp.Atmos.Resolve(ctx, t, environ)
	tell(rp.Runtime, "atmos describe component", err)
	return err
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

// Find resolves a target. A target that Atmos' settings leave out is a *[Skipped]. What Atmos says of a failure is in the log.
func (rp *Repository) Find(ctx context.Context, name inventory.Name) (inventory.Target, error) {
	if rp.Atmos == nil {
		config, err := rp.loadConfig()
		if err != nil {
			return inventory.Target{}, err
		}
		t, err := config.Target(name.Component, name.Stack)
		if err != nil {
			if lacking := config.Lacking(ctx, &rp.Tracked, name); lacking != nil {
				err = lacking
			}
		}
		return t, err
	}
	if err := rp.knowAtmos(ctx); err != nil {
		return inventory.Target{}, err
	}
	t, err := rp.Atmos.Target(ctx, name.Component, name.Stack)
	if err != nil {
		tell(rp.Runtime, "atmos describe component", err)
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
	return rp.config.Get(rp.Source.Name, func() (*gitops.Config, error) {
		config, err := gitops.Load(rp.Context.Workspace, rp.Source.Name)
		if errors.Is(err, os.ErrNotExist) {
			err = rp.orEmpty(problem.With(problem.Config, fmt.Errorf("there is no %s in the workspace, and no atmos.yaml: add one, or name it with the input `config` or `atmos-config-path`: %w", rp.Source.Name, err)))
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

// FolderOf is the folder of a target's root module, which Atmos is asked for once.
func (rp *Repository) FolderOf(ctx context.Context, name inventory.Name) (string, error) {
	return rp.folders.Get(name, func() (string, error) {
		t, err := rp.Atmos.Target(ctx, name.Component, name.Stack)
		return t.Dir, err
	})
}
