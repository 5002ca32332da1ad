package repository

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
	"github.com/terraform-gitops/gitops/shared/memo"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/install"
)

// openAtmos finds the executable and configuration of Atmos, and prepares its environment.
func (rp *Repository) openAtmos(ctx context.Context, env map[string]string) (atmos.Project, Source, error) {
	environ, root := rp.Environ, rp.Context.Workspace
	from := Source{Name: "Atmos' settings.integrations.github.gitops", Env: maps.Clone(env)}
	if from.Env == nil {
		from.Env = map[string]string{}
	}
	// Atmos must not contact other servers or wait for a person by itself.
	maps.Copy(from.Env, map[string]string{"ATMOS_TELEMETRY_ENABLED": "false", "ATMOS_VERSION_CHECK_ENABLED": "false", "ATMOS_PAGER": "false"})
	if rp.inputs.Identity != "" {
		// Atmos' auth gets an ID token from GitHub by itself, for the identity that it assumes.
		for _, entry := range environ {
			if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "ACTIONS_ID_TOKEN_REQUEST_") {
				from.Env[name] = value
			}
		}
	}
	path, err := rp.atmosExecutable(ctx)
	if err != nil {
		return atmos.Project{}, from, err
	}
	from.Atmos = path
	if rp.inputs.AtmosVersion != "" { // what Atmos starts may start the same Atmos
		from.Env["PATH"] = filepath.Dir(path) + string(filepath.ListSeparator) + envlist.Value(environ, "PATH")
	}
	return atmos.New(path, root, terraform.Environ(environ, from.Env, nil)), from, nil
}

// atmosExecutable returns the Atmos on PATH, or the one of the version that the input wants.
func (rp *Repository) atmosExecutable(ctx context.Context) (string, error) {
	if rp.inputs.AtmosVersion == "" {
		return atmos.Executable()
	}
	return install.Atmos(ctx, install.AtmosOptions{
		Version: rp.inputs.AtmosVersion, Oldest: atmos.Oldest, Environ: rp.Environ, ToolCache: rp.Context.ToolCache, Log: notices{rp.Runtime},
		Is: func(ctx context.Context, path string) string {
			version, _ := atmos.New(path, rp.Context.Workspace, terraform.Environ(rp.Environ, nil, nil)).Version(ctx)
			return version.Number // empty if it is too old, or no Atmos
		},
	})
}

// atmosTargets are the targets of Atmos.
type atmosTargets struct {
	rp      *Repository
	project atmos.Project
	version memo.Memo[string, atmos.Version]
	stacks  memo.Memo[string, atmos.Stacks]
	folders memo.Memo[inventory.Name, string]
	notice  sync.Once
}

// outdated logs a notice, the first time that a target's settings have an older name.
func (a *atmosTargets) outdated(s inventory.Settings) {
	if s.Outdated != "" {
		a.notice.Do(func() { a.rp.Runtime.Notice(gha.Annotation{Message: s.Outdated}) })
	}
}

// knowVersion asks Atmos for its version once, and logs a notice if these actions were not tested
// with that version.
func (a *atmosTargets) knowVersion(ctx context.Context) error {
	_, err := a.version.Get("", func() (atmos.Version, error) {
		version, err := a.project.Version(ctx)
		tell(a.rp.Runtime, "atmos version", err)
		if untried := version.Untried(); err == nil && untried != "" {
			a.rp.Runtime.Notice(gha.Annotation{Message: untried})
		}
		return version, err
	})
	return err
}

func (a *atmosTargets) describeStacks(ctx context.Context) (atmos.Stacks, error) {
	return a.stacks.Get("", func() (atmos.Stacks, error) {
		if err := a.knowVersion(ctx); err != nil {
			return atmos.Stacks{}, err
		}
		stacks, err := a.project.Stacks(ctx)
		tell(a.rp.Runtime, "atmos describe stacks", err)
		return stacks, err
	})
}

func (a *atmosTargets) list(ctx context.Context) ([]inventory.Listed, error) {
	stacks, err := a.describeStacks(ctx)
	if err != nil {
		return nil, err
	}
	listed := stacks.Targets()
	for _, l := range listed {
		a.outdated(l.Settings)
	}
	return listed, nil
}

func (a *atmosTargets) find(ctx context.Context, name inventory.Name) (inventory.Target, error) {
	if err := a.knowVersion(ctx); err != nil {
		return inventory.Target{}, err
	}
	t, err := a.project.Target(ctx, name.Component, name.Stack)
	if err != nil {
		tell(a.rp.Runtime, "atmos describe component", err)
		return inventory.Target{}, err
	}
	a.outdated(t.Settings)
	if t.Atmos.Skip != "" {
		return inventory.Target{}, &Skipped{Target: t, Reason: t.Atmos.Skip}
	}
	if t.Atmos.DependsElsewhere {
		all, err := a.rp.Targets(ctx)
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

func (a *atmosTargets) at(ctx context.Context, folder string, name inventory.Name) (inventory.Target, error) {
	there := a.project
	there.Root = folder
	return there.Target(ctx, name.Component, name.Stack)
}

func (a *atmosTargets) listAt(ctx context.Context, folder string) ([]inventory.Listed, error) {
	stacks, found, err := a.project.StacksAt(ctx, folder)
	tell(a.rp.Runtime, "atmos describe stacks", err)
	if err != nil || !found {
		return nil, err
	}
	return stacks.Targets(), nil
}

func (a *atmosTargets) affected(ctx context.Context, base string) (changes []inventory.Change, was []inventory.Listed, err error) {
	head, err := a.describeStacks(ctx)
	if err != nil {
		return nil, nil, err
	}
	if base == "" {
		return inventory.AllNew(head.Targets()), nil, nil
	}
	changes, was, err = a.project.Affected(ctx, base, head)
	tell(a.rp.Runtime, "atmos describe stacks", err)
	return changes, was, err
}

// placed names the key and the target's manifest. Atmos doesn't say in which line a value is.
func (a *atmosTargets) placed(ctx context.Context, name inventory.Name, f *inventory.PolicyFault) error {
	in := ""
	if name != (inventory.Name{}) {
		if t, err := a.project.Target(ctx, name.Component, name.Stack); err == nil && t.Atmos.Manifest != "" {
			in = " (stack manifest " + problem.Quote(t.Atmos.Manifest) + ", or what it imports)"
		}
	}
	return problem.With(problem.Config, fmt.Errorf("settings.integrations.github.gitops.policy.%s%s, %s, %s", f.Key, in, problem.Quote(f.Value), f.Message))
}

func (a *atmosTargets) uncovered(ctx context.Context, changed []string) ([]string, error) {
	stacks, err := a.describeStacks(ctx)
	if err != nil {
		return nil, err
	}
	return stacks.Uncovered(ctx, changed)
}

// tell logs the output of a failed Atmos command.
func tell(r *gha.Runtime, title string, err error) {
	var failed *atmos.Error
	if errors.As(err, &failed) {
		log := r.Group(title)
		defer log.Close()
		fmt.Fprintln(log, strings.TrimSpace(failed.Said))
	}
}

// ResolveAtmos asks Atmos to call the YAML functions of a target and to process its templates, in
// the given environment.
func (rp *Repository) ResolveAtmos(ctx context.Context, t *inventory.Target, environ []string) error {
	err := rp.atmos.project.Resolve(ctx, t, environ)
	tell(rp.Runtime, "atmos describe component", err)
	return err
}

// GenerateBackend asks Atmos to write the backend file of a target, and reports whether the file has
// the expected content.
func (rp *Repository) GenerateBackend(ctx context.Context, t inventory.Target) bool {
	return rp.atmos.project.GenerateBackend(ctx, t)
}

// FolderOf returns the folder of a target's root module. Atmos is asked once for each target.
func (rp *Repository) FolderOf(ctx context.Context, name inventory.Name) (string, error) {
	return rp.atmos.folders.Get(name, func() (string, error) {
		t, err := rp.atmos.project.Target(ctx, name.Component, name.Stack)
		return t.Dir, err
	})
}
