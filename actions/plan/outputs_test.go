package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/changes"
)

func TestEachNumberOfAPlanIsAnOutput(t *testing.T) {
	out := map[string]string{}
	countOutputs(out, changes.Counts{Create: 1, Replace: 2, Update: 4, Delete: 8, Import: 16, Move: 32, Invoke: 64})
	want := map[string]string{"adds": "3", "changes": "4", "destroys": "10", "imports": "16", "moves": "32", "invocations": "64"}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
}
