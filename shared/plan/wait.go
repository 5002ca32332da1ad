package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// wait tells a plan that failed only since what it reads is not there yet from one that is
// wrong: Terraform complains of nothing but reads, and a dependency that is planned in this
// run is going to be changed, or waits itself. Such a target can be planned once that is
// applied, so it does not fail the job: else a pull request that brings a new stack could
// never pass a required check.
//
// Drift is measured on what was applied: there, nothing waits.
func (p *planner) wait(ctx context.Context) (err error) {
	if len(p.Waits) > 0 || p.failure == nil || p.o.Drift || !onlyReads(p.Diagnostics) {
		return nil
	}
	if p.Waits, err = p.o.Positions.pending(ctx, p.DependsOn); err != nil || len(p.Waits) == 0 {
		return err
	}
	p.failure, p.Record.Outcome = nil, planstore.OutcomeWaiting
	p.o.Positions.tell(p.Name, nil, true)
	return nil
}

// waitForValue is wait for a target of Atmos, which reads outputs before Terraform runs: it
// waits for those that are planned in this run and are going to be changed. Otherwise its
// error says what comes next.
func (p *planner) waitForValue(ctx context.Context) error {
	var unresolved inventory.Unresolved
	if !errors.As(p.failure, &unresolved) || len(unresolved.Reads()) == 0 {
		return nil
	}
	reads := unresolved.Reads()
	if !p.o.Drift {
		// They may have to wait for the same folder.
		if err := p.workspace.LeaveFolder(); err != nil {
			return err
		}
		pending, err := p.o.Positions.pending(ctx, reads)
		if err != nil {
			return err
		}
		if len(pending) == len(reads) {
			p.note("%s.", p.failure)
			p.Waits, p.failure, p.Record.Outcome = pending, nil, planstore.OutcomeWaiting
			p.o.Positions.tell(p.Name, nil, true)
			return nil
		}
	}
	p.failure = fmt.Errorf("%w, then plan this one again", p.failure)
	return nil
}

// onlyReads reports whether each error is about something that is read: a data source, or an
// output of another state that is not there.
func onlyReads(diagnostics []terraform.Diagnostic) bool {
	reads := 0
	for _, d := range diagnostics {
		switch {
		case d.Severity != "error":
		case slices.Contains(strings.Split(d.Address, "."), "data"), strings.Contains(d.Snippet, "terraform_remote_state"):
			reads++
		default:
			return false
		}
	}
	return reads > 0
}
