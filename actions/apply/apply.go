// Command apply is the apply action. It chooses the stored plans to apply, which are those of the
// merged pull request. Package apply then verifies, claims and applies each of them.
package main

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/fleet"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// Inputs are the action's inputs; action.yml describes them.
type Inputs struct {
	repository.Inputs
	Verification   apply.Verification
	AcceptNewState bool
	// ExpectedDigest is the only digest that may be applied. If it is empty, any may.
	ExpectedDigest string
	DryRun         bool
	// Environment is the GitHub environment of targets whose configuration names none. Unless it is
	// a dry run, it is the job's environment, and no target of another one is applied.
	Environment string
	// Comment keeps a comment on the merged pull requests, or on the pull request Notify. Only dry
	// runs comment: no job that runs Terraform needs the permission.
	Comment bool
	Notify  int
	// Finished says that the jobs that apply have ended: it is the status of the review before
	// them. If it is empty, they have not begun.
	Finished string
	// Replan are the numbers of the pull requests to plan again with the workflow file PlanWorkflow.
	// If it is set, nothing is applied.
	Replan       []int
	PlanWorkflow string

	// The rest is used only if no component and stack are given.
	Targets     []inventory.Name // empty: all that the merge affects or that were planned for it
	Selection   inventory.Selection
	Parallelism int
}

// ReadInputs reads the action's inputs. Its error names each input that is missing or wrong.
func ReadInputs(r *gha.Runtime) (Inputs, error) {
	read := r.Inputs()
	in := Inputs{
		Inputs:         repository.ReadInputs(r, read, "apply-role"),
		Verification:   apply.Verification(read.Choice("verification", string(apply.Strict), string(apply.Replan), string(apply.None))),
		AcceptNewState: read.Bool("accept-new-state", false),
		ExpectedDigest: r.Input("expected-digest"),
		DryRun:         read.Bool("dry-run", false),
		Environment:    r.Input("environment"),
		Comment:        read.Bool("pr-comment", false),
		Finished:       read.Choice("finished", "", "succeeded", "failed", "skipped"),
		Notify:         read.Int("notify", 0, 0, math.MaxInt32),
		PlanWorkflow:   cmp.Or(r.Input("plan-workflow"), "plan.yml"),
		Parallelism:    read.Int("parallelism", runtime.NumCPU(), 1, 64),
	}
	var problems [4]error
	in.Targets, problems[0] = inventory.ParseTargets(r.Input("targets"))
	in.Selection.Components, problems[1] = inventory.ParsePatterns("components", r.Input("components"))
	in.Selection.Stacks, problems[2] = inventory.ParsePatterns("stacks", r.Input("stacks"))
	in.Replan, problems[3] = parseReplan(r.Input("replan"))
	if err := errors.Join(read.Err(), errors.Join(problems[:]...)); err != nil {
		return Inputs{}, err
	}
	return in, in.check()
}

func (in Inputs) check() error {
	switch {
	case in.Replan != nil && (in.Component != "" || !in.Selection.Empty() || len(in.Targets) > 0 || in.DryRun):
		return problem.With(problem.Input, errors.New("input `replan` only starts plans of other pull requests and applies nothing, so `component`, `stack`, `components`, `stacks`, `targets` and `dry-run` can't be combined with it: use it in a separate job"))
	case in.Component != "" && (!in.Selection.Empty() || len(in.Targets) > 0):
		return problem.With(problem.Input, errors.New("inputs `component` and `stack` name one target, and `targets`, `components` and `stacks` select many: use one or the other"))
	case len(in.Targets) > 0 && !in.Selection.Empty():
		return problem.With(problem.Input, errors.New("input `targets` names the targets, so `components` and `stacks` can't be combined with it: use one or the other"))
	}
	if (in.Comment || in.Finished != "") && !in.DryRun {
		return problem.With(problem.Input, errors.New("inputs `pr-comment` and `finished` need `dry-run: true`: comment in another job than the one that runs Terraform, as .github/workflows/apply.yml does"))
	}
	if in.Environment != "" && in.Component != "" {
		return problem.With(problem.Input, errors.New("input `environment` is for runs over many targets: with `component` and `stack`, choose the job's environment yourself"))
	}
	return in.Check()
}

// Run applies the reviewed plan of one target, or of all targets that were merged.
//
// A *[apply.Refusal] says why nothing was applied. If anything fails after a plan was claimed, Run
// records that with the claim before it returns.
func Run(ctx context.Context, in Inputs, d action.Deps) (action.Result, error) {
	if in.Replan != nil {
		return planAgain(ctx, in, d)
	}
	m, err := open(ctx, in, d)
	var skipped *skip
	if errors.As(err, &skipped) {
		return skipped.result(d.Runtime), nil
	}
	if err != nil {
		return failed(d.Runtime, in, err), err
	}
	result, err := m.applyAll(ctx)
	if in.Comment || in.Finished != "" {
		return m.commented(ctx, result, err)
	}
	return result, err
}

// skip is the error of a run that has nothing to apply, which is no failure.
type skip struct{ reason string }

func (e *skip) Error() string { return e.reason }

func (e *skip) result(r *gha.Runtime) action.Result {
	r.Notice(gha.Annotation{Message: "Nothing is applied: " + e.reason})
	return action.Result{
		Summary: "⏭️ Nothing is applied: " + markdown.Text(e.reason) + ".\n",
		Outputs: map[string]string{"status": "skipped", "outputs": "{}", "count": "0", "has-changes": "false"},
	}
}

// failed returns the result of a run that failed before it reached a target.
func failed(r *gha.Runtime, in Inputs, err error) action.Result {
	o := apply.Outcome{Target: inventory.Name{Component: in.Component, Stack: in.Stack}, Decision: apply.Failed, Err: err}
	var refusal *apply.Refusal
	if errors.As(err, &refusal) {
		o.Decision = apply.Refused
	}
	return action.Result{
		Summary: action.Redact(r, fleet.ApplyReport(o, r.Context())).Markdown(markdown.SummaryLimit),
		Outputs: map[string]string{"status": "failed", "outputs": "{}"},
	}
}
