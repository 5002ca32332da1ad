package apply

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/planstore"
)

func TestRefusalNamesTheFirstDifferences(t *testing.T) {
	t.Parallel()
	cause := errors.New("it differs")
	refusal := &Refusal{Target: "network in dev", Reason: cause, Differs: strings.Fields(strings.Repeat("file ", 12)), Next: "Plan again."}
	if got, want := refusal.Error(), "apply network in dev: refused: it differs ("+strings.Repeat("file, ", 9)+"file and 2 more)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(refusal, cause) {
		t.Error("the reason is not wrapped")
	}
	o := (&Work{}).end(fmt.Errorf("and more: %w", refusal))
	if o.Decision != Refused || !errors.Is(o.Err, cause) {
		t.Errorf("the outcome is %+v", o)
	}
}

// A caller must be able to tell why a plan was refused: it has a claim, its state has changed, or
// neither.
func TestRefusalByLifeCycleSaysWhoseClaimItIs(t *testing.T) {
	t.Parallel()
	claim := &planstore.Claim{Run: planstore.Run{ID: "7", URL: "https://github.com/acme/infra/actions/runs/7"}}
	for status, want := range map[planstore.Status]struct {
		claimed, overtaken bool
		text               string
	}{
		planstore.StatusExpired:    {text: "expired"},
		planstore.StatusApplied:    {claimed: true, text: "already applied by " + claim.Run.URL},
		planstore.StatusApplying:   {claimed: true, text: "being applied by " + claim.Run.URL},
		planstore.StatusFailed:     {claimed: true, text: "failed"},
		planstore.StatusSuperseded: {overtaken: true, text: "superseded"},
	} {
		err := (&Work{}).refuseStatus(status, claim, &planstore.LastApply{})
		var refusal *Refusal
		if !errors.As(err, &refusal) || (refusal.Claim != nil) != want.claimed || refusal.StateChanged != want.overtaken || !strings.Contains(err.Error(), want.text) {
			t.Errorf("%s: %v: %+v", status, err, refusal)
		}
	}
}
