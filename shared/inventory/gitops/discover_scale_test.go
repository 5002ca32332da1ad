package gitops

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
)

// BenchmarkDiscover finds 10,000 root modules of three files each, that call 50 modules.
func BenchmarkDiscover(b *testing.B) {
	files := map[string]string{"gitops.yaml": "discover: ['live/**', '!live/**/modules/**']\npath: live/{stack}/**/{component}\n"}
	resources := strings.Repeat("resource \"aws_ssm_parameter\" \"p\" {\n  name  = \"/some/name\"\n  value = var.name\n}\n\n", 10)
	for i := range 10_000 {
		dir := fmt.Sprintf("live/account%02d/eu-central-%d/service%04d/", i%40, i%4, i)
		signs := backend
		if i%2 == 0 {
			signs = provider
		}
		files[dir+"versions.tf"] = signs + "terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n    }\n  }\n}\n"
		files[dir+"main.tf"] = fmt.Sprintf("module \"m\" {\n  source = \"../../../../modules/m%d\"\n}\n", i%50) + resources
		files[dir+"variables.tf"] = "variable \"name\" {\n  type = string\n}\n"
	}
	for i := range 50 {
		files[fmt.Sprintf("modules/m%d/main.tf", i)] = resources
	}
	root := gittest.Repository(b, files)
	b.ReportAllocs()
	for b.Loop() {
		c, err := Load(b.Context(), root, "gitops.yaml", nil)
		if err != nil || len(c.Discovery().Found) != 10_000 {
			b.Fatal(err)
		}
	}
}
