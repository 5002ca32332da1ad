package planfile

import (
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/terraform/program"
)

// Unchanged returns what [changes.Read] finds in the output of `show -json` for a plan without
// changes, so that the program and its providers need not be started again. The format version
// and the digests are missing. madeBy is the name of the program that made the plan; see package
// program.
//
// ok is false if only that output tells everything: if there is something to apply, or drift that
// is shown, or a check that did not pass; if the plan is incomplete; or if the planfile has a field
// that is not known here.
func (p *File) Unchanged(madeBy string) (_ *changes.Plan, ok bool) {
	n := p.planned.counts
	shown := n
	shown.NoOp = 0
	applyable := p.planned.applyable
	if p.planned.mode == ModeRefreshOnly {
		applyable = false // it also means that only the form of the state would change, which nothing shows
	} else {
		shown.Drift = 0 // Terraform shows what contributed to a change
	}
	// OpenTofu says nowhere whether a plan is complete. If it has such a field, it means something else.
	complete := p.planned.complete == (madeBy != program.OpenTofu)
	if shown != (changes.Counts{}) || applyable || !complete || p.planned.uncounted || p.planned.more || p.planned.errored {
		return nil, false
	}
	return &changes.Plan{TerraformVersion: p.TerraformVersion, Counts: n, DriftLeftOut: n.Drift, Complete: true}, true
}

// checkPassed is the status of checks that have passed.
const checkPassed = 1

// check reads CheckResults: Status status = 3.
func (r *planReader) check(f field) error {
	var seen single
	status := uint64(0)
	err := r.message(f.end, func(f field) error {
		if f.number != 3 {
			return nil
		}
		status = f.value
		return seen.add(f, wireVarint)
	})
	if status != checkPassed {
		r.p.planned.more = true
	}
	return err
}
