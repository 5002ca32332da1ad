package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Refusal says why a plan was not applied and what to do. Nothing was changed.
type Refusal struct {
	Target  string
	Reason  error
	Differs []string // what is not as reviewed
	Next    string
}

// shownDifferences is how many of what differs an error line names; the summary
// names them all.
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

func (a *applying) refuse(reason error, next string, differs ...string) error {
	return &Refusal{Target: fmt.Sprintf("%s in %s", a.Component, a.Stack), Reason: reason, Differs: differs, Next: next}
}

// refuseStatus refuses a plan whose life cycle does not allow an apply.
func (a *applying) refuseStatus(status planstore.Status, claim *planstore.Claim, last *planstore.LastApply) error {
	const again = "Plan again: push to the pull request, or open a new one, and run the plan workflow."
	if status == planstore.StatusFailed && claim == nil { // the planning failed
		record := a.stored.Record
		return a.refuse(fmt.Errorf("the newest plan for commit %s failed in %s", job.Short(record.Commit), record.Run.URL), "Fix the configuration and plan again.")
	}
	switch status {
	case planstore.StatusExpired:
		return a.refuse(fmt.Errorf("the plan expired at %s", a.stored.Record.ExpiresAt.UTC().Format("2006-01-02 15:04 UTC")), again)
	case planstore.StatusApplied:
		return a.refuse(fmt.Errorf("the plan was already applied by %s", claim.Run.URL), "Nothing to do: a plan is applied once. To change something again, plan again.")
	case planstore.StatusApplying:
		return a.refuse(fmt.Errorf("the plan is being applied by %s", claim.Run.URL), "Wait for that run. If it died without finishing, check the state, then plan again.")
	case planstore.StatusFailed:
		return a.refuse(fmt.Errorf("an apply of the plan failed (%s) in %s", claim.Reason, claim.Run.URL), "A failed plan is never applied again, since part of it may be done. "+again)
	case planstore.StatusSuperseded:
		return a.refuse(fmt.Errorf("the plan is superseded: a newer state was made by %s, which applied the plan for commit %.7s", last.Run.URL, last.Commit), again)
	}
	return a.refuse(errors.New("the plan's status is "+string(status)), again)
}
