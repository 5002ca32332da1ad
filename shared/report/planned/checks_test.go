package planned

import (
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// A check that the reader had no room for is not left out without a word.
func TestChecksThatWereNotKeptAreCounted(t *testing.T) {
	t.Parallel()
	kept := []changes.Check{{Address: "check.one", Status: "fail"}, {Address: "check.two", Status: "unknown"}}
	for _, c := range []struct {
		plan changes.Plan
		want []string
	}{
		{changes.Plan{Checks: kept, ChecksOmitted: 3}, []string{"**1 check failed.**", "3 more checks"}},
		{changes.Plan{Checks: kept[1:], ChecksOmitted: 1}, []string{"Not all checks are shown", "1 more check "}},
	} {
		failed, _ := Checks(&c.plan)
		if failed == nil {
			t.Fatalf("%+v: nothing is said", c.plan)
		}
		text := failed.Open
		for _, item := range failed.Items {
			text += item.Full
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in %q", want, text)
			}
		}
	}
	if failed, _ := Checks(&changes.Plan{Checks: kept[1:]}); failed != nil {
		t.Errorf("none failed, and it says %+v", failed)
	}
}
