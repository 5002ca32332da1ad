// Package apply applies one stored plan, once, and only as it was reviewed.
//
// [Run] opens the target's job and leaves to its caller which plan is meant: that is
// where a merged pull request and a drift issue differ. All that follows is the same
// for both: the plan's status, the planfile's digest, Terraform's version, the
// configuration, the claim, the apply, what is recorded of it, a state that could not
// be written, and the report.
package apply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/builtfiles"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/terraform-gitops/gitops/shared/workspace"
)

// Options are the same for all targets of a run.
type Options struct {
	Repository     *repository.Repository
	Inputs         repository.Inputs
	Pulls          *pulls.Requests
	Verification   Verification
	AcceptNewState bool // apply a plan of another state than the last apply's, or of none

	// Terraform has a target's Terraform run with the role that applies; nil: the real one.
	Terraform func(context.Context, *workspace.Workspace) (Terraform, error)

	Runtime *gha.Runtime
	Now     func() time.Time
	// Signals receives the signals that follow the one that cancelled the context.
	Signals <-chan os.Signal
}

// Store is what an apply asks of the plan store: a *[planstore.Store], or a test's.
type Store interface {
	FindRecord(ctx context.Context, t planstore.Target, recordID string) (planstore.Stored, error)
	LastApplies(ctx context.Context, targets []planstore.Target) (map[planstore.Target]planstore.LastApply, error)
	Fetch(ctx context.Context, r planstore.Record, path string) error
	FetchFiles(ctx context.Context, r planstore.Record, path string) error
	Claim(ctx context.Context, r planstore.Record, run planstore.Run, actor string) error
	Finish(ctx context.Context, r planstore.Record, run planstore.Run, result planstore.Result) error
	Release(ctx context.Context, r planstore.Record, run planstore.Run, reason string) error
	PutErroredState(ctx context.Context, r planstore.Record, run planstore.Run, path string) (location string, err error)
}

// Verification says how a plan is proved to fit the merged commit.
type Verification string

// The choices of Verification.
const (
	Strict Verification = "strict" // refuse when the configuration differs from the planned one
	Replan Verification = "replan" // plan anew, and apply that if it would change exactly what was reviewed
	None   Verification = "none"   // don't compare the configuration
)

// Work is the work on one target.
type Work struct {
	Workspace *workspace.Workspace

	options  Options
	store    Store
	stored   planstore.Stored
	moved    []inventory.Name // dependencies that were applied since the plan was made
	tf       Terraform        // nil until openTerraform
	planfile string
	inside   *planfile.File           // what planfile tells of itself; nil when it is encrypted
	reviewed *changes.Plan            // what it would change; nil until it is read
	newOn    *planstore.StatePosition // that the plan made anew was made on; nil without one, or when unknown
	placed   *builtfiles.Placed       // that were built for the plan, in the checkout; nil without any
	after    *planstore.StatePosition // that the apply left; nil when it is not looked up
	outcome  Outcome
	again    bool   // a review found that the plan has to be made again
	anew     string // why it is planned again whatever the verification; empty: nothing asks for it
	claimed  bool
	trouble  error // beside Terraform's own: what could not be stored after the apply
}

// Run opens the target's job, has do take a plan and apply it, and closes the job.
//
// Err of the outcome is do's error, with what went wrong at the end. Whatever goes wrong
// after the plan was claimed is recorded with the claim before Run returns.
func Run(ctx context.Context, name inventory.Name, o Options, do func(context.Context, *Work) error) Outcome {
	if o.Terraform == nil {
		o.Terraform = o.realTerraform
	}
	w := &Work{options: o}
	w.outcome.Target = name
	err := w.open(ctx)
	if err == nil {
		err = do(ctx, w)
	}
	var skipped *repository.Skipped
	if err != nil && ctx.Err() != nil && !w.claimed && !errors.As(err, &skipped) {
		err = problem.With(problem.Cancelled, fmt.Errorf("cancelled before anything was claimed or changed: run this job again: %w", err))
	}
	if w.Workspace != nil {
		err = errors.Join(err, w.removeFiles(), w.Workspace.Close())
	}
	return w.end(err)
}

func (w *Work) open(ctx context.Context) (err error) {
	if w.Workspace, err = workspace.Open(ctx, w.options.Repository, w.outcome.Target, w.options.Inputs); err != nil {
		return err
	}
	w.outcome.Dir, w.outcome.AtmosVersion = w.Workspace.Target.Dir, w.Workspace.AtmosVersion()
	if w.options.Inputs.Debug {
		w.outcome.Settings = w.Workspace.Origins()
	}
	if atmos := w.Workspace.Target.Atmos; atmos != nil && atmos.Locked {
		return w.Refuse(problem.With(problem.Locked, errors.New("the component is locked (metadata.locked)")), "Unlock it in its stack manifest, in a separate pull request, and run this job again.")
	}
	return nil
}

// Take makes a plan of a store the one to apply.
func (w *Work) Take(store Store, stored planstore.Stored) {
	w.store, w.stored = store, stored
	w.outcome.Record, w.outcome.Planned = stored.Record, stored.Record.Counts
}

// PlanAnew has the target planned again before its plan is applied, whatever the
// verification is, and says why; empty: it does not.
func (w *Work) PlanAnew(why string) { w.anew = why }

// Check sees whether the plan that was taken may be applied, as far as its record, its
// claim and the target's lock say: all that Apply does before it runs Terraform.
func (w *Work) Check(ctx context.Context) error {
	if w.stored.Status != planstore.StatusPlanned {
		return w.refuseStatus(w.stored.Status, w.stored.Claim, w.stored.Last)
	}
	if err := w.checkLock(ctx); err != nil {
		return err
	}
	if w.stored.Record.Outcome == planstore.OutcomeChanges {
		if err := w.checkState(w.stored.Record.State, false); err != nil {
			return err
		}
	}
	w.tellApprover()
	return nil
}

// Refresh reads anew what has become of the plan that was taken.
func (w *Work) Refresh(ctx context.Context) error {
	stored, err := w.store.FindRecord(ctx, w.stored.Record.Target, w.stored.Record.ID())
	if err != nil {
		return err
	}
	w.Take(w.store, stored)
	return nil
}

// Review is all that can be said of the plan that was taken before anybody approves it:
// Check and, for a plan without changes, what Apply compares. An apply that nobody is asked
// to approve never runs, so that comparison is made here, too. Where Apply would plan again,
// there is something to approve.
func (w *Work) Review(ctx context.Context) error {
	w.outcome.Decision = Ready
	if err := w.Check(ctx); err != nil || w.hasChanges() {
		if err == nil && w.waiting() && w.options.Verification != Replan {
			return w.refuseWaiting("it could not be planned with the pull request: it reads values that the same change creates")
		}
		return err
	}
	err := w.compareUnchanged(ctx)
	if w.options.Verification == Replan && problem.CodeOf(err) == problem.MovedConfiguration {
		w.again = true
		w.note("The plan has no changes, and the merged configuration differs from the planned one: the apply plans again.")
		return nil
	}
	w.outcome.Decision = Unchanged
	return err
}

// hasChanges says that the plan that was taken has something to apply, or that Review found
// that it has to be made again.
func (w *Work) hasChanges() bool {
	return w.again || w.waiting() || w.stored.Record.Outcome == planstore.OutcomeChanges
}

// compareUnchanged compares the configuration with that of a plan without changes, where it
// can be compared before an init: Atmos may only bring a component's files with that.
func (w *Work) compareUnchanged(ctx context.Context) error {
	if w.options.Verification == None || w.Workspace.Target.Atmos != nil {
		return nil
	}
	return w.compareRecord(ctx)
}

// Apply applies the plan that was taken: after every check of the record and the
// planfile, and once it is claimed. A plan without changes is not applied, which is no
// error while the configuration is the planned one: Verification has its say there, too.
// (That of an Atmos component may only come with its init, and is not looked at then.)
func (w *Work) Apply(ctx context.Context) error {
	if err := w.Check(ctx); err != nil {
		return err
	}
	if w.waiting() && w.options.Verification != Replan {
		return w.refuseWaiting("it could not be planned with the pull request: it reads values that the same change created")
	}
	w.outcome.Verified, w.outcome.Unverified = "", ""
	w.outcome.Decision = Succeeded
	nothing := w.stored.Record.Outcome == planstore.OutcomeNoChanges
	if nothing && w.options.Verification != Replan {
		w.outcome.Decision = Unchanged
		if err := w.compareUnchanged(ctx); err != nil {
			return err
		}
		return w.checkNothing(ctx)
	}
	if err := w.enterFolder(ctx); err != nil {
		return err
	}
	if err := w.checkDependencies(ctx); err != nil {
		return err
	}
	log := w.options.Runtime.Group("terraform apply: " + w.Workspace.Target.String())
	defer log.Close()
	err := w.openTerraform(ctx, log)
	switch {
	case err != nil:
	case w.waiting():
		nothing, err = w.planFirst(ctx)
	default:
		err = w.verify(ctx)
	}
	if err != nil {
		return err
	}
	if nothing {
		w.outcome.Decision = Unchanged
		return nil
	}
	if err := w.store.Claim(ctx, w.stored.Record, w.Workspace.Run(), w.Workspace.Context.Actor); err != nil {
		var taken *planstore.NotClaimableError
		if errors.As(err, &taken) {
			return w.refuseStatus(taken.Status, taken.Claim, taken.Last)
		}
		return err
	}
	w.claimed = true
	return w.apply(ctx)
}

// openTerraform has the target's Terraform run with the role that applies.
func (w *Work) openTerraform(ctx context.Context, log io.Writer) (err error) {
	if w.tf == nil {
		if w.tf, err = w.options.Terraform(ctx, w.Workspace); err != nil {
			return err
		}
	}
	w.tf.LogTo(log)
	return nil
}

// enterFolder waits for the target's turn in its folder, and looks at the plan again where
// that took time.
func (w *Work) enterFolder(ctx context.Context) error {
	waited, err := w.Workspace.EnterFolder(ctx)
	if err != nil || !waited {
		return err
	}
	if err := w.Refresh(ctx); err != nil {
		return err
	}
	return w.Check(ctx)
}

// What is written after an apply goes on after a cancel: the runner allows ten seconds
// in all before it kills us. Each has its own time, so that a slow upload does not leave
// the claim as it is.
const (
	rescueTimeout = 10 * time.Minute // of a state that is all that tells what was made
	finishTimeout = time.Minute
)

// apply runs the claimed plan and records how it ended. Every path from here
// ends in the store's Finish or Release: a claim must tell the truth.
func (w *Work) apply(ctx context.Context) error {
	applied, err := w.tf.Apply(ctx, w.planfile, w.stored.Record.TerraformName, w.inside)
	w.outcome.Resources, w.outcome.Outputs, w.outcome.Diagnostics = applied.Resources, applied.Outputs, applied.Diagnostics

	if err == nil {
		w.lookAfter(ctx)
	}
	ctx = context.WithoutCancel(ctx)
	outcome := planstore.Result{Status: planstore.StatusApplied}
	switch {
	case errors.Is(err, terraform.ErrAfterTerraform):
		err = fmt.Errorf("apply %s: the plan was applied and the state is written, but what Atmos does after an apply failed or did not run: %w", w.Workspace.Target, err)
	case errors.Is(err, terraform.ErrStateLocked) && len(applied.Resources) == 0 && applied.ErroredState == "":
		return w.giveBack(ctx, err)
	case errors.Is(err, terraform.ErrStalePlan):
		outcome = planstore.Result{Status: planstore.StatusFailed, Reason: "stale plan: the state changed after the plan was made"}
		err = w.overtaken(problem.With(problem.StalePlan, errors.New("stale plan: the state changed after the plan was made")), w.advice().stale)
	case errors.Is(err, terraform.ErrInterrupted):
		outcome = planstore.Result{Status: planstore.StatusFailed, Reason: "cancelled"}
		err = fmt.Errorf("apply %s: cancelled: plan again to see what is left to do (what Terraform finished is in the state, unless a second signal stopped it at once): %w", w.Workspace.Target, err)
	case err != nil:
		outcome = planstore.Result{Status: planstore.StatusFailed, Reason: w.options.Runtime.Redacted(reason(err))}
		err = fmt.Errorf("apply %s: %w", w.Workspace.Target, err)
	}
	if applied.ErroredState != "" {
		err = problem.With(problem.ErroredState, err)
	}
	w.record(ctx, applied.ErroredState, outcome)
	return errors.Join(err, w.trouble)
}

// record stores a state that could not be persisted (empty: there is none), and how the
// apply ended.
func (w *Work) record(ctx context.Context, erroredState string, outcome planstore.Result) {
	w.trouble = w.rescueState(ctx, erroredState)
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	if err := w.store.Finish(ctx, w.stored.Record, w.Workspace.Run(), w.ended(ctx, outcome)); err != nil {
		w.trouble = errors.Join(w.trouble, fmt.Errorf("%w: its claim still says that this run is applying the plan", err))
	} else {
		w.outcome.Applied = outcome.Status == planstore.StatusApplied
	}
}

// giveBack releases the claim of an apply that did not get the state's lock, and so has
// changed nothing: whoever runs it again can have the plan.
func (w *Work) giveBack(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	if releaseErr := w.store.Release(ctx, w.stored.Record, w.Workspace.Run(), w.options.Runtime.Redacted(reason(err))); releaseErr != nil {
		w.trouble = fmt.Errorf("%w: its claim still says that this run is applying the plan", releaseErr)
		return errors.Join(fmt.Errorf("apply %s: %w", w.Workspace.Target, err), w.trouble)
	}
	w.claimed = false
	if errors.Is(err, terraform.ErrInterrupted) {
		return fmt.Errorf("apply %s: %w", w.Workspace.Target, err)
	}
	return w.Refuse(problem.With(problem.Terraform, errors.New("the lock of its state could not be taken, and nothing was changed")), w.advice().locked)
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
