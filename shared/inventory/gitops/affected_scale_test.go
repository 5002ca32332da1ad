package gitops

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
)

// manyTargets is a repository of 100 components in 100 stacks, each with a file of
// variables, that call 5 modules.
func manyTargets(t testing.TB) map[string]string {
	t.Helper()
	var config strings.Builder
	files := map[string]string{"modules/README.md": "x"}
	config.WriteString("workspace: \"{stack}\"\nvar-files: [\"{stack}.tfvars\"]\ncomponents:\n")
	for c := range 100 {
		fmt.Fprintf(&config, "  c%02d:\n", c)
		dir := fmt.Sprintf("components/c%02d/", c)
		for f := range 5 {
			files[dir+fmt.Sprintf("f%d.tf", f)] = fmt.Sprintf("module \"m\" { source = \"../../modules/m%d\" }\n", f) + strings.Repeat("# a line of some length\n", 40)
		}
		for s := range 100 {
			files[dir+fmt.Sprintf("s%02d.tfvars", s)] = fmt.Sprint("x = ", s)
		}
	}
	config.WriteString("stacks:\n")
	for s := range 100 {
		fmt.Fprintf(&config, "  s%02d:\n", s)
	}
	for m := range 5 {
		files[fmt.Sprintf("modules/m%d/main.tf", m)] = "locals {}"
	}
	files["gitops.yaml"] = config.String()
	return files
}

// BenchmarkAffected compares 10,000 targets of which 100 are affected.
func BenchmarkAffected(b *testing.B) {
	files := manyTargets(b)
	base := gittest.Repository(b, files)
	files["components/c07/f1.tf"] += "# changed\n"
	head := gittest.Repository(b, files)
	b.ReportAllocs()
	for b.Loop() {
		changes, err := Affected(b.Context(), loaded(b, base), loaded(b, head), nil)
		if err != nil || len(changes) != 100 {
			b.Fatal(len(changes), err)
		}
	}
}
