// Command apply is the apply action: it fetches the planfile that was reviewed,
// proves that it is still that one and still fits, claims it, and applies it,
// once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Inputs are the action's inputs; action.yml describes them.
type Inputs struct {
	job.Inputs
	Verification Verification
}

// Verification says how a plan is proved to fit the merged commit.
type Verification string

// The choices of the input `verification`.
const (
	Strict Verification = "strict" // refuse when the configuration differs from the planned one
	Replan Verification = "replan" // plan anew, and apply that if it would change exactly what was reviewed
	None   Verification = "none"   // don't compare the configuration
)

// Deps are what Run works with, so that a test can replace them.
type Deps struct {
	Runtime *gha.Runtime
	Environ []string // of the process: what of it Terraform may see is decided by package terraform
	Now     func() time.Time
	// Signals receives the signals that follow the one that cancelled ctx.
	Signals <-chan os.Signal
}

// ReadInputs reads the action's inputs. Its error names each that is missing or
// out of its choices.
func ReadInputs(r *gha.Runtime) (Inputs, error) {
	read := r.Inputs()
	in := Inputs{
		Inputs:       job.ReadInputs(r, read, "apply-role"),
		Verification: Verification(read.Choice("verification", string(Strict), string(Replan), string(None))),
	}
	if err := read.Err(); err != nil {
		return Inputs{}, err
	}
	return in, in.Check()
}

// Run applies the target's reviewed planfile.
//
// A *Refusal says why nothing was applied. Whatever else goes wrong after the
// plan was claimed is recorded with the claim before Run returns.
func Run(ctx context.Context, in Inputs, d Deps) (result job.Result, err error) {
	a := &applying{Inputs: in, Deps: d, view: report.Apply{Subject: report.Subject{Component: in.Component, Stack: in.Stack}}}
	err = a.run(ctx)
	var skipped *job.Skipped
	if errors.As(err, &skipped) {
		return skipped.Result(d.Runtime, map[string]string{"status": "skipped", "outputs": "{}"}), nil
	}
	if err != nil && ctx.Err() != nil && !a.claimed {
		err = fmt.Errorf("cancelled before anything was claimed or changed: run this job again: %w", err)
	}
	if a.job != nil {
		err = errors.Join(err, a.job.Close())
	}
	return a.report(err), err
}

// applying is the work on one target.
type applying struct {
	Inputs
	Deps
	job      *job.Job
	store    *planstore.Store
	cli      *terraform.CLI
	stored   planstore.Stored
	planfile string
	inside   *terraform.Planfile // what planfile tells of itself; nil when it is encrypted
	view     report.Apply
	claimed  bool
	trouble  error // beside Terraform's own: what could not be stored after the apply
}

func (a *applying) run(ctx context.Context) error {
	if err := a.find(ctx); err != nil {
		return err
	}
	if a.stored.Record.Outcome == planstore.OutcomeNoChanges {
		a.view.Status = report.NoChanges
		return nil
	}
	cli, err := a.job.Terraform(ctx, a.job.Target.Settings.ApplyRole, a.Now)
	if err != nil {
		return err
	}
	log := a.Runtime.Group("terraform apply: " + a.job.Target.String())
	defer log.Close()
	cli.Log, cli.Signals = log, a.Signals
	a.cli = cli
	if err := a.verify(ctx); err != nil {
		return err
	}
	if err := a.store.Claim(ctx, a.stored.Record, a.job.Run(), a.job.Context.Actor); err != nil {
		var taken *planstore.NotClaimableError
		if errors.As(err, &taken) {
			return a.refuseStatus(taken.Status, taken.Claim, taken.Last)
		}
		return err
	}
	a.claimed = true
	return a.apply(ctx)
}

// finishTimeout bounds the writes that record an outcome, which go on after a
// cancel: the runner allows ten seconds in all before it kills us.
const finishTimeout = time.Minute

// apply runs the claimed plan and records how it ended. Every path from here
// ends in the store's Finish: a claim must tell the truth.
func (a *applying) apply(ctx context.Context) error {
	applied, err := a.cli.Apply(ctx, a.planfile)
	a.view.Resources, a.view.Outputs, a.view.Diagnostics = applied.Resources, applied.Outputs, applied.Diagnostics

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	outcome := planstore.Result{Status: planstore.StatusApplied}
	switch {
	case errors.Is(err, terraform.ErrStalePlan):
		outcome = planstore.Result{Status: planstore.StatusFailed, Reason: "stale plan: the state has moved on since"}
		err = a.refuse(errors.New("stale plan: the state has moved on since it was made"), "Plan the pull request again: something else changed this target's state after the review.")
	case errors.Is(err, terraform.ErrInterrupted):
		outcome = planstore.Result{Status: planstore.StatusFailed, Reason: "cancelled"}
		err = fmt.Errorf("apply %s: cancelled: plan again to see what is left to do (what Terraform finished is in the state, unless a second signal stopped it at once): %w", a.job.Target, err)
	case err != nil:
		outcome = planstore.Result{Status: planstore.StatusFailed, Reason: a.Runtime.Redacted(reason(err))}
		err = fmt.Errorf("apply %s: %w", a.job.Target, err)
	}
	a.trouble = a.rescueState(ctx, applied.ErroredState)
	if finishErr := a.store.Finish(ctx, a.stored.Record, a.job.Run(), outcome); finishErr != nil {
		a.trouble = errors.Join(a.trouble, fmt.Errorf("%w: its claim still says that this run is applying it", finishErr))
	}
	return errors.Join(err, a.trouble)
}

// reason is what a claim says of a failure: Terraform's own first words, or ours.
func reason(err error) string {
	var failed *terraform.CommandError
	if errors.As(err, &failed) {
		for _, d := range failed.Diagnostics {
			if d.Severity == "error" {
				return d.Summary
			}
		}
	}
	return err.Error()
}

// maxOutputs is how many bytes of values the output `outputs` can have. An apply
// that succeeded must not fail for more.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
const maxOutputs = 1 << 20

// report makes the summary and outputs of what happened.
func (a *applying) report(err error) job.Result {
	status := "succeeded"
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		status, a.view.Status = "failed", report.Refused
		a.view.Error, a.view.Differs, a.view.NextSteps = refusal.Reason.Error(), refusal.Differs, []string{refusal.Next}
	case err != nil:
		status, a.view.Status = "failed", report.Failed
		a.view.Error = err.Error()
	case a.view.Status == "":
		a.view.Status = report.Succeeded
	}
	outputs := map[string]json.RawMessage{}
	for _, o := range a.view.Outputs {
		if !o.Sensitive {
			outputs[o.Name] = o.Value
		}
	}
	values, marshalErr := json.Marshal(outputs)
	if marshalErr != nil { // a RawMessage that Terraform wrote is valid JSON
		values = []byte("{}")
	}
	if len(values) > maxOutputs {
		a.view.Notes = append(a.view.Notes, fmt.Sprintf("The output \"outputs\" of this step is empty: the values have %d bytes, and GitHub takes %d.", len(values), maxOutputs))
		values = []byte("{}")
	}
	result := job.Result{
		Summary: job.Redact(a.Runtime, a.view).Markdown(report.SummaryLimit),
		Outputs: map[string]string{"status": status, "outputs": string(values)},
	}
	// A refusal and a cancel are told as what they are, not as what Terraform
	// had to say before its end.
	if a.job != nil && refusal == nil && !errors.Is(err, terraform.ErrInterrupted) {
		result.Annotations = job.Annotations(a.job.Target.Dir, a.view.Diagnostics)
		if len(result.Annotations) > 0 && a.trouble != nil {
			result.Annotations = append(result.Annotations, gha.Annotation{Message: a.trouble.Error()})
		}
	}
	return result
}
