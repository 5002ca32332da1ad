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

// wait finds out whether a plan failed only because values that it reads don't exist yet. That is
// so if Terraform reports nothing but failed reads, and a dependency that this run plans has
// changes or waits itself. The target can be planned after that dependency is applied, so the job
// doesn't fail: otherwise a pull request that adds a stack could never pass a required check.
//
// A drift plan never waits: it is about what is already applied.
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

// waitForValue is wait for a target of Atmos, which reads outputs before Terraform runs. The target
// waits if this run plans all targets that it reads from, and their plans have changes. Otherwise
// the error gets advice on what to do.
func (p *planner) waitForValue(ctx context.Context) error {
	var unresolved inventory.Unresolved
	if !errors.As(p.failure, &unresolved) || len(unresolved.Reads()) == 0 {
		return nil
	}
	reads := unresolved.Reads()
	if !p.o.Drift {
		// A target that it reads from may be waiting for the lock on the same folder.
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

// onlyReads reports whether every error is about a read: of a data source, or of an output that
// another state doesn't have yet.
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
