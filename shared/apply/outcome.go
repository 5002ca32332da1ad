package apply

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/builtfiles"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Decision is the result of applying or reviewing a target's plan.
type Decision string

// The decisions.
const (
	Succeeded Decision = "succeeded"  // the plan was applied, and that is recorded
	Unchanged Decision = "no-changes" // the plan changes nothing
	Ready     Decision = "ready"      // a review: the plan can be applied once somebody approves it
	Refused   Decision = "refused"    // nothing was changed: Err is a *Refusal
	Skipped   Decision = "skipped"    // the target's settings exclude it: Err is a *repository.Skipped
	Failed    Decision = "failed"     // Err says why
)

// Outcome is the result for one target, with its reasons. Its texts may hold secrets: see
// action.Redact.
type Outcome struct {
	Target   inventory.Name
	Dir      string // the root module's folder, relative to the checkout's root
	Decision Decision
	// Err is nil exactly when Decision is Succeeded, Unchanged or Ready.
	Err error

	// Record is the chosen plan's record. It is the zero value if no plan was chosen.
	Record planstore.Record
	// Planned counts the changes in the plan.
	Planned changes.Counts
	// HasChanges says that there is something to apply, or that only a new plan can show whether
	// there is.
	HasChanges bool
	// Claimed says that the plan was claimed. Resources may have been changed.
	Claimed bool
	// Applied says that the plan was applied and that this is recorded, even if something failed later.
	Applied bool

	// Policy is what the policies say of the plan that is applied. It is nil if there are none, or
	// they were not evaluated. Stored is what they said when the plan was made, by its record, if
	// they are still the same; for a review.
	Policy *policy.Verdict
	Stored policy.Result
	// Required, Given and Missing are the approvals, and Override is who lets a denied plan through;
	// nil: nobody.
	Required []approvals.Requirement
	Given    []approvals.Approval
	Missing  []approvals.Missing
	Override *approvals.Approval
	// Cautions are sentences for those who are asked to approve.
	Cautions []string

	// Now is the new plan if it differs from the reviewed one.
	Now *changes.Plan
	// Resources, Outputs and Diagnostics are those of Terraform's apply.
	Resources   []terraform.ResourceResult
	Outputs     []terraform.Output
	Diagnostics []terraform.Diagnostic
	// Verified says in a sentence what was compared before the apply; Unverified what was not.
	Verified, Unverified string
	// Notes are further sentences for the reader.
	Notes []string
	// Built are the files that travel with the plan.
	Built []builtfiles.File
	// RescuedState is set when Terraform could not write its state to the backend.
	RescuedState *RescuedState
	// Trouble is an error in storing the results after the apply. Err contains it, too.
	Trouble error

	AtmosVersion string
	Settings     []string // the effective settings and their sources; only with the input `debug`
}

// RescuedState is a state that Terraform could not write to its backend. It was stored elsewhere.
type RescuedState struct {
	StoredAt string   // an s3:// URL or a path
	Commands []string // shell lines that write it to the backend
}

// Well reports whether nothing is left to do, so that targets that depend on this one can go on.
func (o Outcome) Well() bool {
	return o.Decision == Succeeded || o.Decision == Unchanged || o.Decision == Ready || o.Decision == Skipped
}

// Public returns the values of the outputs that are not sensitive, by name.
func (o Outcome) Public() map[string]json.RawMessage {
	public := map[string]json.RawMessage{}
	for _, output := range o.Outputs {
		if !output.Sensitive {
			public[output.Name] = output.Value
		}
	}
	return public
}

// ended adds the merged commit and the state's positions to the result of an apply.
func (w *Work) ended(ctx context.Context, r planstore.Result) planstore.Result {
	if checkout, err := w.options.Repository.Checkout(ctx); err == nil { // otherwise it stays unknown
		r.MergedCommit = checkout.Commit
	}
	r.PlannedOn, r.After = w.newOn, w.after
	return r
}

// end completes the outcome. err is the error that ended the work, or nil.
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
