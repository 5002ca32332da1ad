// Package apply applies one stored plan, once, and only as it was reviewed.
//
// The caller of [Run] chooses the plan: of a merged pull request, or of a drift issue. Everything
// else is the same for both: the checks of the plan's status, the planfile's digest, Terraform's
// version and the configuration, the claim, the apply, its record, the rescue of a state that
// could not be written, and the report.
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
	"github.com/terraform-gitops/gitops/shared/plan"
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
	Merge          Merge
	PolicyTime     time.Duration // for the evaluation of one target's policies; 0: policy.DefaultTime
	PolicyMemory   int64         // bytes; 0: policy.DefaultMemory
	AcceptNewState bool          // apply a plan that was made on another state than the last apply's, or on none

	// Terraform returns the Terraform that applies a target. If it is nil, the real one is used.
	Terraform func(context.Context, *workspace.Workspace) (Terraform, error)

	Runtime *gha.Runtime
	Now     func() time.Time
	// Signals receives the signals that follow the one that cancelled the context.
	Signals <-chan os.Signal
}

// Store is the part of the plan store that an apply needs: a *[planstore.Store], or a test's
// double.
type Store interface {
	Find(ctx context.Context, t planstore.Target, commit string) (planstore.Stored, error)
	Before(ctx context.Context, r planstore.Record) (planstore.Record, error)
	FindRecord(ctx context.Context, t planstore.Target, recordID string) (planstore.Stored, error)
	LastApplies(ctx context.Context, targets []planstore.Target) (map[planstore.Target]planstore.LastApply, error)
	Fetch(ctx context.Context, r planstore.Record, path string) (storedAt time.Time, err error)
	FetchFiles(ctx context.Context, r planstore.Record, path string) error
	Claim(ctx context.Context, r planstore.Record, run planstore.Run, actor string, audit planstore.Audit) error
	Finish(ctx context.Context, r planstore.Record, run planstore.Run, result planstore.Result) error
	Release(ctx context.Context, r planstore.Record, run planstore.Run, reason string) error
	PutErroredState(ctx context.Context, r planstore.Record, run planstore.Run, path string) (location string, err error)
}

// Verification says how to prove that a plan fits the merged commit.
type Verification string

// The choices of Verification.
const (
	Strict Verification = "strict" // refuse if the configuration differs from the planned one
	Replan Verification = "replan" // plan again, and apply the new plan if it makes exactly the reviewed changes
	None   Verification = "none"   // don't compare the configuration
)

// Work is the apply of one target.
type Work struct {
	Workspace *workspace.Workspace

	options  Options
	store    Store
	stored   planstore.Stored
	moved    []inventory.Name // dependencies that were applied after the plan was made
	tf       Terraform        // nil until openTerraform
	log      io.Writer
	planfile string
	storedAt time.Time // when the planfile was stored; zero: unknown
	rules    rules
	inside   *planfile.File           // the planfile's content; nil: it is encrypted
	reviewed *changes.Plan            // the planfile's changes; nil until they are read
	newOn    *planstore.StatePosition // the state that a new plan was made on; nil: there is none, or it is unknown
	placed   *builtfiles.Placed       // the files that were built for the plan; nil: none are in the checkout
	after    *planstore.StatePosition // the state after the apply; nil: it was not read
	outcome  Outcome
	again    bool   // a review found that the target has to be planned again
	anew     string // why to plan again whatever the verification is; empty: no reason
	claimed  bool
	trouble  error // errors in storing the results after the apply
}

// Run opens the target's workspace, calls do, which chooses a plan and applies it, and closes the
// workspace.
//
// Err of the outcome is do's error, joined with errors of closing. An error after the plan was
// claimed is recorded with the claim before Run returns.
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

// Take chooses the plan to apply.
func (w *Work) Take(store Store, stored planstore.Stored) {
	w.store, w.stored = store, stored
	w.outcome.Record, w.outcome.Planned = stored.Record, stored.Record.Counts
}

// PlanAgain makes Apply plan the target again first, whatever the verification is, and says why. An
// empty text changes nothing.
func (w *Work) PlanAgain(why string) { w.anew = why }

// Check finds out whether the chosen plan's record, its claim and the target's lock allow an apply.
// Apply begins with it, before it runs Terraform.
func (w *Work) Check(ctx context.Context) error {
	if w.stored.Status != planstore.StatusPlanned {
		return w.refuseStatus(w.stored.Status, w.stored.Claim, w.stored.Last)
	}
	if err := w.checkLock(ctx); err != nil {
		return err
	}
	if err := w.checkDestroy(); err != nil {
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

// Refresh reads the chosen plan's record and status again.
func (w *Work) Refresh(ctx context.Context) error {
	stored, err := w.store.FindRecord(ctx, w.stored.Record.Target, w.stored.Record.ID())
	if err != nil {
		return err
	}
	w.Take(w.store, stored)
	return nil
}

// Review checks the chosen plan before anybody is asked to approve it. For a plan without changes it
// also compares the configuration, as Apply does: nobody is asked to approve such a plan, so its
// apply never runs. If Apply would plan again, Review asks for an approval.
func (w *Work) Review(ctx context.Context) error {
	w.outcome.Decision = Ready
	if err := w.Check(ctx); err != nil {
		return err
	}
	switch {
	case w.waiting() && w.options.Verification != Replan:
		return w.refuseWaiting("it could not be planned with the pull request: it reads values that the same change creates")
	case w.hasChanges():
		return w.reviewRules(ctx)
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

// hasChanges reports whether the chosen plan has something to apply, or Review found that the
// target has to be planned again.
func (w *Work) hasChanges() bool {
	return w.again || w.waiting() || w.stored.Record.Outcome == planstore.OutcomeChanges
}

// compareUnchanged compares the configuration with the one of a plan without changes. It skips targets
// of Atmos, since Atmos may write a component's files only in its init.
func (w *Work) compareUnchanged(ctx context.Context) error {
	if w.options.Verification == None || w.Workspace.Target.Atmos != nil {
		return nil
	}
	return w.compareRecord(ctx)
}

// Apply applies the chosen plan: after all checks of the record and the planfile, and after it is
// claimed. A plan without changes is not applied. That is no error if its configuration is still
// the planned one, unless Verification is None. (It is not compared for a target of Atmos, whose
// files may be written only in its init.)
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
	if err := w.openRules(ctx); err != nil {
		return err
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
	audit, err := w.obey(ctx)
	if err != nil {
		return err
	}
	if err := w.store.Claim(ctx, w.stored.Record, w.Workspace.Run(), w.Workspace.Context.Actor, audit); err != nil {
		var taken *planstore.NotClaimableError
		if errors.As(err, &taken) {
			return w.refuseStatus(taken.Status, taken.Claim, taken.Last)
		}
		return err
	}
	w.claimed = true
	return w.apply(ctx)
}

// openTerraform prepares the target's Terraform with the role that applies.
func (w *Work) openTerraform(ctx context.Context, log io.Writer) (err error) {
	if w.tf == nil {
		if w.tf, err = w.options.Terraform(ctx, w.Workspace); err != nil {
			return err
		}
	}
	w.tf.LogTo(log)
	w.log = log
	return nil
}

// enterFolder waits for the lock on the target's folder. If it had to wait, it checks the plan again.
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

// The end of an apply is recorded even after a cancel, when the runner kills this process within ten
// seconds. Each step has a limit of its own, so that a slow upload doesn't keep the claim from being
// finished.
const (
	rescueTimeout = 10 * time.Minute // for the state, the only record of what was created
	finishTimeout = time.Minute
)

// apply runs the claimed plan and records how it ended. Every path from here calls the store's
// Finish or Release: a claim must tell the truth.
func (w *Work) apply(ctx context.Context) error {
	applied, err := w.tf.Apply(ctx, w.planfile, w.stored.Record.TerraformName, w.inside)
	w.outcome.Resources, w.outcome.Outputs, w.outcome.Diagnostics = applied.Resources, applied.Outputs, applied.Diagnostics

	if err == nil {
		w.lookAfter(ctx)
		if w.destroys() && len(w.stored.Record.Targets) == 0 {
			w.note("Everything in the state is destroyed. " + plan.DeleteEntry(w.Workspace.Target))
		}
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
		err = w.stateChanged(problem.With(problem.StalePlan, errors.New("stale plan: the state changed after the plan was made")), w.advice().stale)
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

// record stores how the apply ended. First it rescues the state if Terraform could not write it;
// erroredState is its path, or empty.
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

// giveBack releases the claim if the apply did not get the state's lock. Such an apply has changed
// nothing, and the next run can apply the plan.
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

// reason returns the cause of a failure for the claim: Terraform's first error, or else ours.
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
