package apply

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/terraform-gitops/gitops/shared/builtfiles"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Decision is what was decided about a target's plan, and how that ended.
type Decision string

// The decisions.
const (
	Succeeded Decision = "succeeded"  // the plan was applied, and that is recorded
	Unchanged Decision = "no-changes" // the plan changes nothing
	Ready     Decision = "ready"      // a review: the plan can be applied once somebody approves it
	Refused   Decision = "refused"    // nothing was changed: Err is a *Refusal
	Skipped   Decision = "skipped"    // the target's settings leave it out: Err is a *repository.Skipped
	Failed    Decision = "failed"     // Err says of what
)

// Outcome is what was decided about one target, why, and what came of it. Its texts may
// hold secrets: see action.Redact.
type Outcome struct {
	Target   inventory.Name
	Dir      string // of the root module, relative to the checkout's root
	Decision Decision
	// Err is nil exactly when Decision is Succeeded, Unchanged or Ready.
	Err error

	// Record is the plan that was taken; the zero one when there was none.
	Record planstore.Record
	// Planned counts what the plan was to do.
	Planned changes.Counts
	// HasChanges says that there is something to apply, or that only a new plan can tell.
	HasChanges bool
	// Claimed says that the plan was claimed: something may have been changed.
	Claimed bool
	// Applied says that the plan was applied and that this is recorded, whatever failed after.
	Applied bool

	// Now is what a new plan would do, when it differs from the reviewed one.
	Now *changes.Plan
	// Resources, Outputs and Diagnostics are Terraform's, from its apply.
	Resources   []terraform.ResourceResult
	Outputs     []terraform.Output
	Diagnostics []terraform.Diagnostic
	// Verified says in a sentence what was compared before the apply; Unverified what was not.
	Verified, Unverified string
	// Notes are what a reader should know besides, a sentence each.
	Notes []string
	// Built are the files that travel with the plan.
	Built []builtfiles.File
	// RescuedState is set when Terraform could not write its state to the backend.
	RescuedState *RescuedState
	// Trouble is what could not be stored after the apply. Err has it, too.
	Trouble error

	AtmosVersion string
	Settings     []string // in effect, and where each comes from; only with the input `debug`
}

// RescuedState is a state that Terraform could not write to its backend, and that was
// stored elsewhere instead.
type RescuedState struct {
	StoredAt string   // an s3:// URL or a path
	Commands []string // that bring it back to the backend, a shell line each
}

// Well reports whether nothing is left to do: other targets that depend on this one can go on.
func (o Outcome) Well() bool {
	return o.Decision == Succeeded || o.Decision == Unchanged || o.Decision == Ready || o.Decision == Skipped
}

// Public are the values of the outputs that are not sensitive, by name.
func (o Outcome) Public() map[string]json.RawMessage {
	public := map[string]json.RawMessage{}
	for _, output := range o.Outputs {
		if !output.Sensitive {
			public[output.Name] = output.Value
		}
	}
	return public
}

// ended adds to how an apply ended what the target's last apply tells beside the record.
func (w *Work) ended(ctx context.Context, r planstore.Result) planstore.Result {
	if checkout, err := w.options.Repository.Checkout(ctx); err == nil { // else it is not known
		r.MergedCommit = checkout.Commit
	}
	r.PlannedOn, r.After = w.newOn, w.after
	return r
}

// end completes the outcome. err is why the work ended early.
func (w *Work) end(err error) Outcome {
	o := w.outcome
	o.Err, o.Trouble, o.Claimed, o.HasChanges = err, w.trouble, w.claimed, w.hasChanges()
	var (
		refusal *Refusal
		skipped *repository.Skipped
	)
	switch {
	case errors.As(err, &skipped):
		o.Decision = Skipped
	case errors.As(err, &refusal):
		o.Decision = Refused
	case err != nil:
		o.Decision = Failed
	}
	return o
}

// note adds a sentence for the reader.
func (w *Work) note(text string) { w.outcome.Notes = append(w.outcome.Notes, text) }
