package envlist_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/envlist"
)

func TestTheLastOfEqualNamesCounts(t *testing.T) {
	t.Parallel()
	environ := []string{"A=1", "B=", "A=2=3", "AB=4", "C"}
	for name, want := range map[string]string{"A": "2=3", "B": "", "AB": "4", "C": "", "D": ""} {
		if got := envlist.Value(environ, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]bool{"A": true, "B": true, "C": false, "D": false} {
		if _, set := envlist.Lookup(environ, name); set != want {
			t.Errorf("%s is set: %v, want %v", name, set, want)
		}
	}
	before := append([]string(nil), environ...)
	if diff := cmp.Diff([]string{"B=", "AB=4", "C"}, envlist.Without(environ, "A")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, environ); diff != "" {
		t.Error("it was changed: " + diff)
	}
}
