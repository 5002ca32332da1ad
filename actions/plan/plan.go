// Command plan is the plan action. It plans one target, or the targets that a change affects, stores
// the planfiles, and shows a reviewer what they would change.
package main

import (
	"context"
	"errors"
	"runtime"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// Inputs are the action's inputs; action.yml describes them.
type Inputs struct {
	repository.Inputs
	Drift         bool
	RefreshOnly   bool // make a drift plan with -refresh-only
	Store         bool
	RetentionDays int
	Comment       bool
	KeepFiles     bool
	Lock, Unlock  bool

	// The rest is used only if no component and stack are given.
	Targets     []inventory.Name // empty: Selection and the change decide
	Selection   inventory.Selection
	All         bool // also targets that are not affected
	Dependents  bool
	BaseSHA     string
	Parallelism int
	MatrixOnly  bool
}

// ReadInputs reads the action's inputs. Its error names each input that is missing or wrong.
func ReadInputs(r *gha.Runtime) (Inputs, error) {
	read := r.Inputs()
	in := Inputs{
		Inputs:        repository.ReadInputs(r, read, "plan-role"),
		Drift:         read.Bool("drift-detection-mode-enabled", false),
		RefreshOnly:   read.Choice("mode", "plan", "refresh-only") == "refresh-only",
		Store:         read.Bool("plan-storage", true),
		RetentionDays: read.Int("metadata-retention-days", 14, 1, 365),
		Comment:       read.Bool("pr-comment", false),
		KeepFiles:     read.Bool("keep-plan-files", false),
		Lock:          read.Choice("lock", "none", "pull-request") == "pull-request",
		Unlock:        read.Bool("unlock", false),
		All:           read.Bool("all", false),
		Dependents:    read.Bool("include-dependents", false),
		BaseSHA:       r.Input("base-sha"),
		Parallelism:   read.Int("parallelism", runtime.NumCPU(), 1, 64),
		MatrixOnly:    read.Bool("matrix-only", false),
	}
	var problems [3]error
	in.Targets, problems[0] = inventory.ParseTargets(r.Input("targets"))
	in.Selection.Components, problems[1] = inventory.ParsePatterns("components", r.Input("components"))
	in.Selection.Stacks, problems[2] = inventory.ParsePatterns("stacks", r.Input("stacks"))
	if err := errors.Join(read.Err(), problems[0], problems[1], problems[2]); err != nil {
		return Inputs{}, err
	}
	return in, in.check()
}

func (in Inputs) check() error {
	one := in.Component != ""
	switch {
	case in.RefreshOnly && !in.Drift:
		return problem.With(problem.Input, errors.New("input `mode` is refresh-only, and `drift-detection-mode-enabled` is not true: only a drift plan can be refresh-only, since such a plan can't be applied"))
	case one && (in.All || in.MatrixOnly || !in.Selection.Empty() || len(in.Targets) > 0):
		return problem.With(problem.Input, errors.New("inputs `component` and `stack` name one target, and `targets`, `components`, `stacks`, `all` and `matrix-only` select many: use one or the other"))
	case len(in.Targets) > 0 && (in.All || !in.Selection.Empty()):
		return problem.With(problem.Input, errors.New("input `targets` names the targets, so `components`, `stacks` and `all` can't be combined with it: use one or the other"))
	case !one && in.KeepFiles:
		return problem.With(problem.Input, errors.New("input `keep-plan-files` works for one target only: give `component` and `stack`"))
	case in.BaseSHA != "" && !git.IsCommit(in.BaseSHA):
		return problem.With(problem.Input, errors.New("input `base-sha` is no full commit SHA: give 40 or 64 hexadecimal digits"))
	case in.Lock && !in.Store:
		return problem.With(problem.Input, errors.New("input `lock` is pull-request, and `plan-storage` is false: locks are kept in the plan store"))
	}
	return in.Check()
}

// Run plans the chosen targets, stores each planfile with its record, and reports.
//
// If Terraform can't make a plan, that is recorded, so that an apply of this commit can say so. It is
// an error, but the other targets are planned. A cancelled run records only what it finished. In
// drift mode, the drift or the error is stored as well.
func Run(ctx context.Context, in Inputs, d action.Deps) (action.Result, error) {
	s, err := begin(ctx, in, d)
	if err != nil {
		return action.Result{}, err
	}
	if done, result, err := s.onlyLocks(ctx); done || err != nil {
		return result, err
	}
	if done, result, err := s.ended(ctx); done || err != nil {
		return result, err
	}
	if err := s.wanted(); err != nil {
		return action.Result{}, err
	}
	return s.planAll(ctx)
}
