package terraform_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
)

func TestAStateInAFileIsFound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, config, workspace, env, want string
		backend                            []string
	}{
		{name: "no backend", want: "terraform.tfstate"},
		{name: "no backend, a workspace", workspace: "dev", want: "terraform.tfstate.d/dev/terraform.tfstate"},
		{name: "by the block", config: "terraform {\n backend \"local\" { path = \"../x.tfstate\" }\n}", want: "../x.tfstate"},
		{name: "by backend-config", config: "terraform {\n backend \"local\" {}\n}", backend: []string{"path=a/b.tfstate"}, want: "a/b.tfstate"},
		{name: "a folder of workspaces", config: "terraform {\n backend \"local\" { workspace_dir = \"w\" }\n}", workspace: "dev", want: "w/dev/terraform.tfstate"},
		{name: "by a flag", env: "TF_CLI_ARGS_plan=-compact-warnings -state=s.tfstate", want: "s.tfstate"},
		{name: "elsewhere", config: "terraform {\n backend \"inmem\" {}\n}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := terraformtest.RootModule(t, map[string]string{"main.tf": test.config})
			c, _ := terraformtest.New(t, dir, test.env)
			c.Workspace, c.DataDir = test.workspace, ".terraform/mine"
			if _, err := c.Init(t.Context(), terraform.InitOptions{BackendConfig: test.backend}); err != nil {
				t.Fatal(err)
			}
			want := ""
			if test.want != "" {
				want = filepath.Join(dir, test.want)
			}
			got, err := c.LocalState()
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
