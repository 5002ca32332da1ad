package gitops

import (
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/problem"
)

const iam = "arn:aws:iam::111111111111:role/"

func TestGitopsYAMLHasTerraformsRolesApart(t *testing.T) {
	t.Parallel()
	const rest = "components: { network: {} }\nstacks:\n  dev: {}\n"
	for name, c := range map[string]struct{ config, want string }{
		"one store role, and Terraform's": {"artifact-storage: { role: " + iam + "one }\nrole: { plan: " + iam + "one }\n" + rest, "gitops.yaml:2:"},
		"drift storage":                   {"artifact-storage: { role: { drift: " + iam + "one } }\nrole:\n  apply: " + iam + "ONE\n" + rest, "gitops.yaml:3:"},
		"of a stack":                      {"artifact-storage: { role: { plan: " + iam + "one } }\n" + rest + "  prod: { role: { plan: " + iam + "path/one } }\n", "gitops.yaml:5:"},
		"another stack's":                 {"role: { plan: " + iam + "one }\n" + rest + "  prod: { artifact-storage: { role: { apply: " + iam + "one } } }\n", "gitops.yaml:1:"},
		"apart":                           {"artifact-storage: { role: " + iam + "store }\nrole: { plan: " + iam + "one, apply: " + iam + "two }\n" + rest, ""},
	} {
		dir := t.TempDir()
		gittest.Write(t, dir, map[string]string{"gitops.yaml": c.config, "components/network/main.tf": ""})
		_, err := Load(t.Context(), dir, "gitops.yaml", nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want) || problem.CodeOf(err) != problem.Roles) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
