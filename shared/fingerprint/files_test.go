package fingerprint

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Ten times the targets of a component must not take ten times its reading.
func TestFilesThatTargetsShareAreReadOnce(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"a/main.tf": "module \"m\" {\n  source = \"../m\"\n}\n", "b/main.tf": "module \"m\" {\n  source = \"../m\"\n}\n",
		"m/main.tf": "locals {}", "common.tfvars": "x = 1",
	}
	root := gittest.Repository(t, files)
	co, err := checkout.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	read, err := OpenFiles(t.Context(), co, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := func() (sums []map[string]sum) {
		for _, dir := range []string{"a", "b"} {
			for _, stack := range []string{"dev", "prod"} {
				s := read.Side(inventory.Target{Component: dir, Stack: stack, Root: root, Dir: dir, VarFiles: []string{"common.tfvars"}}, nil)
				if s.Err != nil || len(s.sums) != 3 {
					t.Errorf("%s in %s: %d files, %v", dir, stack, len(s.sums), s.Err)
				}
				sums = append(sums, s.sums)
			}
		}
		return sums
	}
	before := all()
	for name := range files {
		gittest.Write(t, root, map[string]string{name: "# so that another reading would differ"})
	}
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Errorf("read again:\n%s", diff)
	}
}
