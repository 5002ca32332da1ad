package target

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	base := repository(b, files)
	files["components/c07/f1.tf"] += "# changed\n"
	head := repository(b, files)
	b.ReportAllocs()
	for b.Loop() {
		changes, err := Affected(b.Context(), loaded(b, base), loaded(b, head), nil)
		if err != nil || len(changes) != 100 {
			b.Fatal(len(changes), err)
		}
	}
}

// Ten times the targets of a component must not take ten times its reading.
func TestAffectedReadsSharedFilesOnce(t *testing.T) {
	t.Parallel()
	files := threeComponentFiles()
	files["shared/common.tfvars"] = "x = 1"
	files["gitops.yaml"] = strings.ReplaceAll(threeComponents, "[\"{stack}.tfvars\"]", "[/shared/common.tfvars]")
	root := repository(t, files)
	c := loaded(t, root)
	read, err := openFiles(t.Context(), c.checkout, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := func() (sides []map[string]sum) {
		for _, r := range c.resolvers() {
			s := sideOf(r, read, nil)
			if s.err != nil || len(s.sums) != 4 {
				t.Errorf("%s in %s: %d files, %v", r.componentName, r.stackName, len(s.sums), s.err)
			}
			sides = append(sides, s.sums)
		}
		return sides
	}
	before := all()
	for name := range files {
		write(t, root, map[string]string{name: "# so that another reading would differ"})
	}
	if diff := cmp.Diff(before, all()); diff != "" {
		t.Errorf("read again:\n%s", diff)
	}
}
