package inventory

import (
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/problem"
)

const iam = "arn:aws:iam::111111111111:role/"

func TestTerraformsRoleIsNoneOfTheStores(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		all  []Settings
		want string // "": they are apart
	}{
		"apart":                               {[]Settings{{PlanRole: iam + "plan", ApplyRole: iam + "apply", PlanStorageRole: iam + "plan-storage", ApplyStorageRole: iam + "apply-storage", DriftStorageRole: iam + "drift-storage"}}, ""},
		"no roles at all":                     {[]Settings{{}, {}}, ""},
		"one for all of Terraform":            {[]Settings{{PlanRole: iam + "terraform", ApplyRole: iam + "terraform", PlanStorageRole: iam + "store", ApplyStorageRole: iam + "store"}}, ""},
		"plan is plan storage":                {[]Settings{{PlanRole: iam + "one", PlanStorageRole: iam + "one"}}, "role.plan, with which Terraform runs, is also artifact-storage.role.plan"},
		"plan is apply storage":               {[]Settings{{PlanRole: iam + "one", ApplyStorageRole: iam + "one"}}, "role.plan, with which Terraform runs, is also artifact-storage.role.apply"},
		"plan is drift storage":               {[]Settings{{PlanRole: iam + "one", PlanStorageRole: iam + "other", DriftStorageRole: iam + "one"}}, "role.plan, with which Terraform runs, is also artifact-storage.role.drift"},
		"apply is apply storage":              {[]Settings{{ApplyRole: iam + "one", ApplyStorageRole: iam + "one"}}, "role.apply, with which Terraform runs, is also artifact-storage.role.apply"},
		"another target's":                    {[]Settings{{PlanRole: iam + "one"}, {}, {ApplyStorageRole: iam + "one"}}, "role.plan"},
		"other capitals":                      {[]Settings{{PlanRole: iam + "Store", PlanStorageRole: iam + "store"}}, "role.plan"},
		"another path":                        {[]Settings{{PlanRole: iam + "store", PlanStorageRole: iam + "ci/gitops/store"}}, "role.plan"},
		"with blanks":                         {[]Settings{{PlanRole: iam + "store ", PlanStorageRole: iam + "store"}}, "role.plan"},
		"a name alone":                        {[]Settings{{PlanRole: "store", PlanStorageRole: "store"}}, "role.plan"},
		"another account's":                   {[]Settings{{PlanRole: "arn:aws:iam::222222222222:role/store", PlanStorageRole: iam + "store"}}, ""},
		"a name that another one begins with": {[]Settings{{PlanRole: iam + "store", PlanStorageRole: iam + "store-2"}}, ""},
	} {
		err := RolesApart(c.all...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || problem.CodeOf(err) != problem.Roles) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
