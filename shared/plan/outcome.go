package plan

import (
	"time"

	"github.com/terraform-gitops/gitops/shared/builtfiles"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Decision is the result of planning a target.
type Decision string

// The decisions.
const (
	Changed    Decision = "changes"     // an apply would do something; or a drift plan found drift
	Unchanged  Decision = "no-changes"  // there is nothing to apply, and no drift
	Waiting    Decision = "waiting"     // it can be planned once the targets in Waits are applied
	Failed     Decision = "failed"      // Terraform could not plan it, and the record says so
	Skipped    Decision = "skipped"     // the target's settings exclude it: Err is a *repository.Skipped
	NotPlanned Decision = "not-planned" // there was another error: nothing is recorded
)

// Outcome is the result of planning one target. Its texts may hold secrets: see action.Redact.
type Outcome struct {
	Name     inventory.Name
	Decision Decision
	// Err is why the target was not planned; nil for Changed, Unchanged and Waiting.
	Err error
	// Trouble is an error beside the plan, such as a record that could not be stored.
	Trouble error

	Dir       string           // the root module's folder, relative to the checkout's root
	DependsOn []inventory.Name // targets that are applied before this one
	// Environment is the GitHub environment in which the target is applied; empty if the settings
	// name none.
	Environment string
	Record      planstore.Record
	Stored      bool
	Store       *planstore.Store // the target's; nil: nothing is stored
	// RefreshOnly says that a drift plan was compared with the state, and not with Git.
	RefreshOnly bool

	Changes     *changes.Plan // nil when Terraform made no plan
	Diagnostics []terraform.Diagnostic
	Built       []builtfiles.File // files that travel with the plan
	Waits       []inventory.Name
	LockedBy    *planstore.Lock // another pull request's lock; nil: there is none
	Rules       Rules
	// Cautions say why the numbers may be wrong; Notes say what else a reader should know.
	// Each is a sentence or more.
	Cautions, Notes []string
	// Unknown says what of policies and approvals can't be found out, a sentence each. Many targets
	// say the same.
	Unknown []string
	// Ignored is what became of each rule of drift.ignore in a drift plan.
	Ignored []ignore.Use
	// Planfile and JSON are files that outlive the run, if they were asked for.
	Planfile, JSON string

	AtmosVersion string
	Settings     []string // the effective settings and their sources; only with the input `debug`
	Reproduce    []string // shell lines that plan the target by hand
}

// Drifted reports whether a drift plan found drift that is not ignored. A refresh-only plan that
// only brings an old state to a new format shows nothing, and has found none.
func (o Outcome) Drifted() bool {
	switch {
	case o.Changes == nil || o.Err != nil:
		return false
	case o.RefreshOnly:
		return o.Changes.Outside()+o.Changes.Shown().Outputs > 0
	}
	return o.HasChanges() && !o.Changes.OnlyIgnored()
}

// HasChanges reports whether the plan has something to apply.
func (o Outcome) HasChanges() bool { return o.Record.Outcome == planstore.OutcomeChanges }

// DriftExpiry is how long a drift plan can be applied: what it would revert may change
// without these actions.
const DriftExpiry = 24 * time.Hour
