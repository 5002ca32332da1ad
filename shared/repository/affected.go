package repository

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Affected lists the targets whose configuration in the workspace differs from that at the
// commit base, sorted by name. If dependents is true, it includes the targets that depend on
// them. It checks base out into a temporary folder. If base is all zeros, as in a push that
// creates a branch, every target is affected.
func (rp *Repository) Affected(ctx context.Context, base string, dependents bool) (changes []inventory.Change, err error) {
	if !git.IsCommit(base) {
		return nil, problem.With(problem.Input, fmt.Errorf("compare with commit %q: give a full commit SHA", base))
	}
	listed, err := rp.targets.list(ctx)
	if err != nil {
		return nil, err
	}
	if isZero(base) {
		changes, _, err = rp.targets.affected(ctx, "")
		return changes, err
	}
	err = rp.withBase(ctx, base, func(dir string) error {
		var was []inventory.Listed
		changes, was, err = rp.targets.affected(ctx, dir)
		if was != nil {
			rp.listed.Put(base, was)
		}
		return err
	})
	if err == nil && dependents {
		changes = inventory.WithDependents(changes, listed)
	}
	return changes, err
}

// IsAffected reports whether one target's configuration in the workspace differs from that at the
// commit base, or doesn't exist there. It is cheaper than [Repository.Affected].
func (rp *Repository) IsAffected(ctx context.Context, base string, now inventory.Target) (affected bool, err error) {
	if !git.IsCommit(base) {
		return false, problem.With(problem.Input, fmt.Errorf("compare with commit %q: give a full commit SHA", base))
	}
	if isZero(base) {
		return true, nil
	}
	err = rp.withBase(ctx, base, func(dir string) error {
		before, err := rp.targets.at(ctx, dir, now.Name())
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

// Uncovered returns the folders with Terraform files that changed since the commit base and that
// belong to no target: nothing would plan them.
func (rp *Repository) Uncovered(ctx context.Context, base string) ([]string, error) {
	if isZero(base) {
		return nil, nil
	}
	// Deleted files are left out: their folders may not exist any more.
	changed, err := git.Changed(ctx, rp.Context.Workspace, base)
	if err != nil {
		return nil, problem.With(problem.Checkout, fmt.Errorf("list the files that changed since %s: %w", git.Short(base), err))
	}
	return rp.targets.uncovered(ctx, changed)
}

func isZero(commit string) bool { return strings.Trim(commit, "0") == "" }
