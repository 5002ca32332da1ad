// Command drift-remediation is the drift-remediation action. If a person labels a drift issue, it
// applies the drift plan that the issue shows, with package apply, and closes the issue. If a person
// closes a drift issue, it records that the drift was discarded.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// Inputs are the action's inputs; action.yml describes them.
type Inputs struct {
	repository.Inputs
	Issue              int    // 0: the event's issue
	Action             Action // empty: the event decides
	Permission         string // the least permission that the person who labels needs
	DiscardFor         time.Duration
	Environment        string // the job's GitHub environment: no target of another one is applied
	DefaultEnvironment string // of targets whose configuration names none; empty: Environment
	DryRun             bool   // only say under which environment the issue is decided
}

// Status is the output `status`.
type Status string

// The statuses.
const (
	Remediated Status = "remediated" // the plan was applied
	Failed     Status = "failed"     // it was not, or only in part
	Refused    Status = "refused"    // it was not, and nothing was changed
	Fixed      Status = "fixed"      // the drift was gone already
	Discarded  Status = "discarded"
	Nothing    Status = "nothing" // there was nothing to do
)

// ReadInputs reads the action's inputs. Its error names each input that is missing or wrong.
func ReadInputs(r *gha.Runtime) (Inputs, error) {
	read := r.Inputs()
	in := Inputs{
		Inputs:      repository.ReadTerraformInputs(r, read, "apply-role"),
		Issue:       read.Int("issue-number", 0, 1, 1<<31-1),
		Permission:  read.Choice("allowed-permission", "write", "maintain", "admin"),
		DiscardFor:  time.Duration(read.Int("discard-for", 30, 0, 3650)) * 24 * time.Hour,
		Environment: r.Input("environment"), DefaultEnvironment: r.Input("default-environment"), DryRun: read.Bool("dry-run", false),
	}
	if r.Input("action") != "" {
		in.Action = Action(read.Choice("action", string(Remediate), string(Discard)))
	}
	if err := read.Err(); err != nil {
		return Inputs{}, err
	}
	return in, in.Check()
}

// Run does what the event or the inputs ask for about one drift issue.
//
// A *apply.Refusal says why nothing was applied. Errors are also reported on the issue if possible.
func Run(ctx context.Context, in Inputs, d action.Deps) (action.Result, error) {
	fail := func(err error) (action.Result, error) {
		return action.Result{Outputs: map[string]string{"status": string(Failed)}}, err
	}
	event, err := d.Runtime.Event()
	if err != nil {
		return fail(err)
	}
	wanted, number, err := asked(in, event)
	if err != nil {
		return fail(err)
	}
	if wanted == "" {
		return nothing(d.Runtime, "this event asks for nothing: a drift issue is remediated when it gets the label "+drift.LabelApply+", and discarded when it is closed"), nil
	}
	if in.Token == "" {
		return fail(problem.With(problem.GitHubPermission, errors.New("drift-remediation needs a GitHub token: leave the input `token` out, and give the job `permissions: issues: write`")))
	}
	w := &work{Inputs: in, Deps: d, actx: d.Runtime.Context(), event: event}
	if w.github, err = d.GitHub(in.Token); err != nil {
		return fail(err)
	}
	if w.issue, err = w.github.Issue(ctx, w.actx.Repository, number); err != nil {
		return fail(err)
	}
	var result action.Result
	switch {
	case in.DryRun:
		result, err = w.lookUp(ctx)
	case wanted == Discard:
		result, err = w.discard(ctx)
	default:
		result, err = w.remediate(ctx)
	}
	if result.Outputs == nil {
		result, _ = fail(nil)
	}
	return result, err
}

// work is the work on one issue.
type work struct {
	Inputs
	action.Deps
	actx       gha.Context
	event      gha.Event
	repository *repository.Repository
	github     *github.Client
	issue      github.Issue
	target     inventory.Name // the issue's target; the zero value until named was called
}

// open finds the configuration of the workspace's targets.
func (w *work) open(ctx context.Context) (err error) {
	in := w.Inputs.Inputs
	in.Component, in.Stack = w.target.Component, w.target.Stack
	w.repository, err = repository.Open(ctx, w.Runtime, w.Environ, in)
	return err
}

// named reads from the issue which target it is about. Anyone may have written that: only the target's
// link proves it. named returns false if the issue is not ours, or names no target.
func (w *work) named() bool {
	component, stack, ok := drift.Named(w.issue.Body)
	if !ok || !w.issue.Ours {
		return false
	}
	w.target = inventory.Name{Component: component, Stack: stack}
	return true
}

// subject names the target in reports and errors.
func (w *work) subject() string {
	if w.target.Component == "" {
		return fmt.Sprintf("issue #%d", w.issue.Number)
	}
	return fmt.Sprintf("%s (issue #%d)", w.target, w.issue.Number)
}

// nothing returns the result of a run that has nothing to do, which is no failure.
func nothing(r *gha.Runtime, why string) action.Result {
	r.Notice(gha.Annotation{Message: "Nothing to do: " + why})
	return action.Result{
		Summary: "⏭️ Nothing to do: " + markdown.Text(why) + ".\n",
		Outputs: map[string]string{"status": string(Nothing)},
	}
}
