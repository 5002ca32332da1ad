package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/gitops"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Affected lists the targets whose configuration in the workspace is another than at
// the commit base, sorted by name; with dependents also those that depend on them. It
// checks base out beside the workspace, and removes that before it returns. A base of
// zeros, as of a push that makes a branch, has no targets.
func (rp *Repository) Affected(ctx context.Context, base string, dependents bool) (changes []inventory.Change, err error) {
	if !git.IsCommit(base) {
		return nil, problem.With(problem.Input, fmt.Errorf("compare with commit %q: give a full commit SHA", base))
	}
	if rp.Atmos != nil {
		return rp.affectedOfAtmos(ctx, base, dependents)
	}
	head, err := rp.loadConfig()
	if err != nil {
		return nil, err
	}
	if isZero(base) {
		return gitops.Affected(ctx, nil, head, rp.Environ)
	}
	err = rp.withBase(ctx, base, func(dir string) error {
		before, err := gitops.Load(dir, head.File())
		var broken *gitops.Error
		switch {
		case errors.As(err, &broken):
			rp.Runtime.Notice(gha.Annotation{Message: fmt.Sprintf("All targets count as new, since what they were at %s can't be read: %v", git.Short(base), err)})
		case err != nil && !errors.Is(err, os.ErrNotExist):
			return err
		}
		changes, err = gitops.Affected(ctx, before, head, rp.Environ)
		return err
	})
	if err == nil && dependents {
		changes = inventory.WithDependents(changes, head.Targets())
	}
	return changes, err
}

// IsAffected reports whether one target's configuration in the workspace is another than at
// the commit base, where it may not be at all: for less than [Repository.Affected] takes.
func (rp *Repository) IsAffected(ctx context.Context, base string, now inventory.Target) (affected bool, err error) {
	if !git.IsCommit(base) {
		return false, problem.With(problem.Input, fmt.Errorf("compare with commit %q: give a full commit SHA", base))
	}
	if isZero(base) {
		return true, nil
	}
	err = rp.withBase(ctx, base, func(dir string) error {
		before, err := rp.at(ctx, dir, now.Name())
		if errors.Is(err, inventory.ErrUnknownTarget) || errors.Is(err, os.ErrNotExist) {
			affected = true
			return nil
		}
		if err != nil {
			return err
		}
		affected, err = fingerprint.Differs(ctx, before, now, rp.Environ)
		return err
	})
	return affected, err
}

// at resolves a target in another checkout of the repository.
func (rp *Repository) at(ctx context.Context, dir string, name inventory.Name) (inventory.Target, error) {
	if rp.Atmos != nil {
		there := *rp.Atmos
		there.Root = dir
		return there.Target(ctx, name.Component, name.Stack)
	}
	config, err := gitops.Load(dir, rp.Source.Name)
	if err != nil {
		return inventory.Target{}, err
	}
	return config.Target(name.Component, name.Stack)
}

func (rp *Repository) affectedOfAtmos(ctx context.Context, base string, dependents bool) (changes []inventory.Change, err error) {
	head, err := rp.describeStacks(ctx)
	if err != nil {
		return nil, err
	}
	if isZero(base) {
		return inventory.AllNew(head.Targets()), nil
	}
	err = rp.withBase(ctx, base, func(dir string) error {
		changes, err = rp.Atmos.Affected(ctx, dir, head, dependents)
		tell(rp.Runtime, "atmos describe stacks", err)
		return err
	})
	return changes, err
}

// Uncovered are the folders with Terraform files that changed since the commit base and that
// no target holds: nothing would plan them.
func (rp *Repository) Uncovered(ctx context.Context, base string) ([]string, error) {
	if isZero(base) {
		return nil, nil
	}
	// Not those that are gone: there is nothing to list any more.
	changed, err := git.Changed(ctx, rp.Context.Workspace, base)
	if err != nil {
		return nil, problem.With(problem.Checkout, fmt.Errorf("list the files that changed since %s: %w", git.Short(base), err))
	}
	if rp.Atmos != nil {
		stacks, err := rp.describeStacks(ctx)
		if err != nil {
			return nil, err
		}
		return stacks.Uncovered(ctx, changed)
	}
	head, err := rp.loadConfig()
	if err != nil {
		return nil, err
	}
	return head.Uncovered(ctx, changed)
}

func isZero(commit string) bool { return strings.Trim(commit, "0") == "" }
