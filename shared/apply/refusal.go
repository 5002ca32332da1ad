package apply

import (
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Refusal says why a plan was not applied and what to do. Nothing was changed.
type Refusal struct {
	Target  string
	Reason  error
	Differs []string // what differs from what was reviewed
	Next    string
	// Claim is the claim that the plan already has. It is nil if that isn't the reason.
	Claim *planstore.Claim
	// StateChanged says that the state has changed since the plan was made. The plan's changes may
	// already be made.
	StateChanged bool
}

// shownDifferences is the number of differences that an error names. The summary names all.
const shownDifferences = 10

func (r *Refusal) Error() string {
	text := fmt.Sprintf("apply %s: refused: %v", r.Target, r.Reason)
	if len(r.Differs) > 0 {
		text += " (" + strings.Join(r.Differs[:min(shownDifferences, len(r.Differs))], ", ")
		if more := len(r.Differs) - shownDifferences; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		text += ")"
	}
	return text
}

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// Refuse returns a *[Refusal].
func (w *Work) Refuse(reason error, next string, differs ...string) error {
	return w.refusal(reason, next, differs...)
}

func (w *Work) refusal(reason error, next string, differs ...string) *Refusal {
	return &Refusal{Target: w.outcome.Target.String(), Reason: reason, Differs: differs, Next: next}
}

// overtaken refuses a plan whose state has changed.
func (w *Work) stateChanged(reason error, next string) error {
	refusal := w.refusal(reason, next)
	refusal.StateChanged = true
	return refusal
}

// refuseStatus refuses a plan whose status doesn't allow an apply.
func (w *Work) refuseStatus(status planstore.Status, claim *planstore.Claim, last *planstore.LastApply) error {
	again := w.advice().again
	if status == planstore.StatusFailed && claim == nil { // there was no apply: planning failed
		record := w.stored.Record
		return w.Refuse(problem.With(problem.FailedPlan, fmt.Errorf("the newest plan for commit %s failed in %s", git.Short(record.Commit), record.Run.URL)), "Fix the configuration and plan again.")
	}
	var refusal *Refusal
	switch status {
	case planstore.StatusExpired:
		return w.Refuse(problem.With(problem.Expired, fmt.Errorf("the plan expired at %s", w.stored.Record.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC"))), again)
	case planstore.StatusApplied:
		refusal = w.refusal(problem.With(problem.Applied, fmt.Errorf("the plan was already applied by %s", claim.Run.URL)), w.advice().applied)
	case planstore.StatusApplying:
		refusal = w.refusal(problem.With(problem.Applying, fmt.Errorf("the plan is being applied by %s", claim.Run.URL)), "Wait for that run. If it ended without recording a result, check the state, then plan again.")
	case planstore.StatusFailed:
		refusal = w.refusal(problem.With(problem.FailedApply, fmt.Errorf("an apply of the plan failed (%s) in %s", claim.Reason, claim.Run.URL)), "A plan whose apply failed is never applied again, since a part of it may be done. "+again)
	case planstore.StatusSuperseded:
		return w.stateChanged(problem.With(problem.Superseded, fmt.Errorf("the plan is superseded: %s applied the plan for commit %.7s, and so changed the state", last.Run.URL, last.Commit)), again)
	default:
		return w.Refuse(errors.New("the plan's status is "+string(status)), again)
	}
	refusal.Claim = claim
	return refusal
}
