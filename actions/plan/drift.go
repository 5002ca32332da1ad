package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
)

// driftExpiry is how long a drift plan can be applied: what runs changes without us.
const driftExpiry = 24 * time.Hour

// maxErrorLine bounds the error of a drift result, in bytes; the report has it whole.
const maxErrorLine = 1000

// drifted reports whether the plan found drift. A refresh-only plan that only
// brings an old state to a new form has nothing to show, and found none.
func (p *planning) drifted() bool {
	if p.RefreshOnly {
		return p.record.Counts.Drift+p.record.Counts.Outputs > 0
	}
	return p.record.Outcome == planstore.OutcomeChanges
}

// putDriftResult stores what a drift plan found, or that it failed. Outside of
// drift mode, and without a store, there is nothing to do.
func (p *planning) putDriftResult(ctx context.Context) error {
	if !p.Drift || p.store == nil {
		return nil
	}
	r := planstore.DriftResult{
		Target: p.record.Target, Run: p.record.Run, Commit: p.record.Commit, At: p.record.CreatedAt,
		Outcome: planstore.DriftNotDrifted, RefreshOnly: p.RefreshOnly, Counts: p.record.Counts,
	}
	switch {
	case p.error != nil:
		r.Outcome, r.Error = planstore.DriftError, p.line(p.error)
		r.Counts = planstore.Record{}.Counts // of a part of the plan, perhaps
	case p.drifted():
		r.Outcome, r.Changes = planstore.DriftDrifted, p.changes.Visible
		if p.RefreshOnly {
			r.Changes = p.changes.VisibleDrift
		}
	}
	if p.stored && p.record.Outcome == planstore.OutcomeChanges {
		r.RecordID, r.PlanDigest, r.ExpiresAt = p.record.ID(), p.record.Digest, p.record.ExpiresAt
		r.Base = p.base()
	}
	if r.Outcome != planstore.DriftNotDrifted {
		r.Report = p.driftView().Section(planstore.MaxDriftReport)
	}
	return p.store.PutDriftResult(ctx, r)
}

// base is a digest of what the plan was made from. A state whose position is not
// known is not that of any other plan.
func (p *planning) base() string {
	state := p.record.ID()
	if at := p.record.State; at != nil {
		state = fmt.Sprintf("%q %d", at.Lineage, at.Serial)
	}
	sum := sha256.Sum256([]byte(p.record.ConfigurationDigest + "\n" + state))
	return hex.EncodeToString(sum[:])
}

// line is an error in one line, without the secrets that are known.
func (p *planning) line(err error) string {
	line := strings.Join(strings.Fields(p.Runtime.Redacted(err.Error())), " ")
	if len(line) > maxErrorLine {
		line = strings.ToValidUTF8(line[:maxErrorLine], "") + "…"
	}
	return line
}

func (p *planning) driftView() report.Drift {
	view := report.Drift{
		Subject: p.subject(), Drifted: p.drifted(), Changes: p.changes, RefreshOnly: p.RefreshOnly,
		Diagnostics: p.diagnostics, Error: p.undiagnosed(), Next: p.driftNext(),
	}
	if p.error != nil {
		view.Drifted, view.Changes = false, nil
	}
	return job.Redact(p.Runtime, view)
}

func (p *planning) driftNext() string {
	switch {
	case !p.Store:
		return "Nothing was stored (plan-storage: false), so no issue will show this drift."
	case p.RefreshOnly:
		return "The drift-detection action shows this drift in an issue. A refresh-only plan is not for applying: a drift plan of mode plan shows what an apply would bring back."
	default:
		return "The drift-detection action shows this drift in an issue. Who labels it has exactly this planfile applied."
	}
}
