package plan

import (
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// Null in place of an empty value, which providers return right after an apply, is no drift.
func TestARefreshOnlyPlanHasDriftedIfSomethingIsShown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		plan    changes.Plan
		drifted bool
	}{
		{changes.Plan{Counts: changes.Counts{NoOp: 3}}, false},
		{changes.Plan{Counts: changes.Counts{Drift: 9}, DriftLeftOut: 9}, false},
		{changes.Plan{Counts: changes.Counts{Drift: 9}, DriftLeftOut: 8}, true},
		{changes.Plan{Counts: changes.Counts{Drift: 9, Outputs: 1}, DriftLeftOut: 9}, true},
	} {
		o := Outcome{RefreshOnly: true, Changes: &c.plan}
		o.Record.Counts = c.plan.Counts
		if o.Drifted() != c.drifted {
			t.Errorf("%+v: drifted is %t", c.plan, o.Drifted())
		}
	}
}
