package gitops

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
)

func TestAffectedByAFileOutside(t *testing.T) {
	t.Parallel()
	files := threeComponentFiles()
	files["components/dns/zones.tf"] = `x = yamldecode(file("${path.module}/../../zones/${var.stage}.yaml"))`
	files["modules/tags/files.tf"] = `x = file("${path.module}/../../scripts/tags.sh")`
	files["zones/prod.yaml"], files["zones/README.md"], files["scripts/tags.sh"], files["scripts/other.sh"] = "x", "x", "x", "x"
	base := loaded(t, gittest.Repository(t, files))
	for name, want := range map[string]string{
		"scripts/other.sh": "",
		"zones/prod.yaml":  "dns in prod: changed: zones/prod.yaml\n",
		"scripts/tags.sh": `cluster in dev: changed: scripts/tags.sh
cluster in prod: changed: scripts/tags.sh
dns in prod: changed: scripts/tags.sh
network in dev: changed: scripts/tags.sh
network in prod: changed: scripts/tags.sh
`,
	} {
		if diff := cmp.Diff(want, affected(t, base, files, map[string]string{name: "y"})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// BenchmarkAffectedByFilesOutside is BenchmarkAffected where each component reads the
// whole repository, and a module a folder with 100 files.
func BenchmarkAffectedByFilesOutside(b *testing.B) {
	files := manyTargets(b)
	for c := range 100 {
		files[fmt.Sprintf("components/c%02d/read.tf", c)] = `x = ["${path.module}/../../${var.x}", "${path.root}/../../scripts/x.sh"]`
	}
	for f := range 100 {
		files[fmt.Sprintf("policies/p%02d.json", f)] = "{}"
	}
	files["modules/m1/main.tf"], files["scripts/x.sh"] = `x = "${path.module}/../../policies/${var.x}.json"`, "x"
	base := gittest.Repository(b, files)
	files["policies/p07.json"] = "[]"
	head := gittest.Repository(b, files)
	b.ReportAllocs()
	for b.Loop() {
		changes, err := Affected(b.Context(), loaded(b, base), loaded(b, head), nil)
		if err != nil || len(changes) != 10_000 {
			b.Fatal(len(changes), err)
		}
	}
}
