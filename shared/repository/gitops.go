package repository

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/gitops"
	"github.com/terraform-gitops/gitops/shared/memo"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// gitopsFile configures a repository without Atmos.
const gitopsFile = "gitops.yaml"

// gitopsTargets are the targets of gitops.yaml.
type gitopsTargets struct {
	rp     *Repository
	config memo.Memo[string, *gitops.Config]
}

// load reads gitops.yaml, once.
func (g *gitopsTargets) load(ctx context.Context) (*gitops.Config, error) {
	file := g.rp.Source.Name
	return g.config.Get(file, func() (*gitops.Config, error) {
		config, err := gitops.Load(ctx, g.rp.Context.Workspace, file, &g.rp.Tracked)
		if errors.Is(err, os.ErrNotExist) {
			err = g.rp.orEmpty(problem.With(problem.Config, fmt.Errorf("there is no %s in the workspace, and no atmos.yaml: add one, or name it with the input `config` or `atmos-config-path`: %w", file, err)))
		}
		if err == nil {
			tellDiscovery(g.rp.Runtime, file, config.Discovery())
		}
		return config, err
	})
}

func (g *gitopsTargets) list(ctx context.Context) ([]inventory.Listed, error) {
	config, err := g.load(ctx)
	if err != nil {
		return nil, err
	}
	return config.Targets(), nil
}

func (g *gitopsTargets) find(ctx context.Context, name inventory.Name) (inventory.Target, error) {
	config, err := g.load(ctx)
	if err != nil {
		return inventory.Target{}, err
	}
	t, err := config.Target(name.Component, name.Stack)
	if err != nil {
		if lacking := config.Lacking(ctx, &g.rp.Tracked, name); lacking != nil {
			err = lacking
		}
	}
	return t, err
}

func (g *gitopsTargets) at(ctx context.Context, folder string, name inventory.Name) (inventory.Target, error) {
	config, err := gitops.Load(ctx, folder, g.rp.Source.Name, nil)
	if err != nil {
		return inventory.Target{}, err
	}
	return config.Target(name.Component, name.Stack)
}

func (g *gitopsTargets) listAt(ctx context.Context, folder string) ([]inventory.Listed, error) {
	config, err := gitops.Load(ctx, folder, g.rp.Source.Name, nil)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return config.Targets(), nil
}

func (g *gitopsTargets) affected(ctx context.Context, base string) (changes []inventory.Change, was []inventory.Listed, err error) {
	head, err := g.load(ctx)
	if err != nil {
		return nil, nil, err
	}
	if base == "" {
		changes, err = gitops.Affected(ctx, nil, head, g.rp.Environ)
		return changes, nil, err
	}
	before, err := gitops.Load(ctx, base, head.File(), nil)
	var broken *gitops.Error
	switch {
	case errors.As(err, &broken):
		g.rp.Runtime.Notice(gha.Annotation{Message: fmt.Sprintf("All targets count as new, since the configuration at the base can't be read: %v", err)})
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, nil, err
	}
	if before != nil {
		was = before.Targets()
	}
	changes, err = gitops.Affected(ctx, before, head, g.rp.Environ)
	return changes, was, err
}

func (g *gitopsTargets) placed(ctx context.Context, name inventory.Name, f *inventory.PolicyFault) error {
	config, err := g.load(ctx)
	if err != nil {
		return f //nolint:nilerr // it is reported elsewhere
	}
	return config.Placed(name, f)
}

func (g *gitopsTargets) uncovered(ctx context.Context, changed []string) ([]string, error) {
	head, err := g.load(ctx)
	if err != nil {
		return nil, err
	}
	return head.Uncovered(ctx, changed)
}
