package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
)

const (
	maxErrorLine = 1000 // bytes of an error, or of what policies deny, in a drift result
	maxDenials   = 3    // messages of policies in it
)

// PutDriftResult stores the result of a drift plan, or its error. It does nothing if there is no
// store, or if the plan is not a drift plan.
func (t *Tally) PutDriftResult(ctx context.Context, o plan.Outcome) error {
	if o.Record.Kind != planstore.KindDrift || o.Store == nil {
		return nil
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // cancelled: the result may be incomplete
	}
	r := drift.Result{
		Target: o.Record.Target, Run: o.Record.Run, Commit: o.Record.Commit, At: o.Record.CreatedAt,
		Outcome: drift.NotDrifted, RefreshOnly: o.RefreshOnly, Counts: o.Record.Counts, Ignored: o.Ignored,
	}
	switch {
	case o.Err != nil:
		r.Outcome, r.Error = drift.PlanFailed, oneLine(t.Runtime, o.Err.Error())
		r.Counts = planstore.Record{}.Counts // they may be incomplete
	case o.Drifted():
		r.Outcome, r.ChangesDigest, r.Counts = drift.Drifted, o.Changes.Visible, o.Changes.Shown()
		if o.RefreshOnly {
			r.ChangesDigest = o.Changes.VisibleDrift
		}
	}
	if o.Stored && o.HasChanges() && r.Outcome != drift.NotDrifted {
		r.RecordID, r.PlanDigest, r.ExpiresAt = o.Record.ID(), o.Record.Digest, o.Record.ExpiresAt
		if o.Rules.Denied() {
			r.Denied = oneLine(t.Runtime, o.Rules.Policy.Reasons(maxDenials))
		}
		r.BaseDigest = madeFrom(o.Record, r.Denied)
	}
	if r.Outcome != drift.NotDrifted {
		r.Report = t.driftReport(o).Section(drift.MaxReport)
	}
	return drift.In(o.Store).PutResult(ctx, r)
}

// madeFrom returns a digest of what a plan was made from, its configuration and its state, and of what
// the policies deny in it. If the state's position is unknown, the digest differs from every other.
func madeFrom(r planstore.Record, denied string) string {
	state := r.ID()
	if at := r.State; at != nil {
		state = fmt.Sprintf("%q %d", at.Lineage, at.Serial)
	}
	text := r.ConfigurationDigest + "\n" + state
	if denied != "" {
		text += "\n" + denied
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// oneLine returns a text on one line, with known secrets redacted.
func oneLine(r *gha.Runtime, text string) string {
	line := strings.Join(strings.Fields(r.Redacted(text)), " ")
	if len(line) > maxErrorLine {
		line = strings.ToValidUTF8(line[:maxErrorLine], "") + "…"
	}
	return line
}

func (t *Tally) driftReport(o plan.Outcome) report.Drift {
	message, code := undiagnosed(o)
	view := report.Drift{
		Subject: planSubject(o), Drifted: o.Drifted(), Changes: o.Changes, RefreshOnly: o.RefreshOnly,
		Diagnostics: o.Diagnostics, Error: message, Code: code, Next: driftNext(o), Rules: planRules(o),
	}
	if o.Err != nil {
		view.Changes = nil
	}
	return action.Redact(t.Runtime, view)
}

func driftNext(o plan.Outcome) string {
	switch {
	case o.Store == nil:
		return "Nothing was stored (plan-storage: false), so no issue will show this drift."
	case o.RefreshOnly:
		return "The drift-detection action shows this drift in an issue. A refresh-only plan can't be applied: a drift plan with mode: plan shows what an apply would restore."
	default:
		return "The drift-detection action shows this drift in an issue. Adding the label `apply` to that issue applies exactly this planfile."
	}
}
