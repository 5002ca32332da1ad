package terraform_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

func TestEnviron(t *testing.T) {
	t.Parallel()
	always := []string{"CHECKPOINT_DISABLE=1", "TF_INPUT=0", "TF_IN_AUTOMATION=1"}
	ambient := []string{
		"AWS_ACCESS_KEY_ID=ambient", "AWS_CONTAINER_AUTHORIZATION_TOKEN=t", "AWS_CONTAINER_CREDENTIALS_FULL_URI=u",
		"AWS_PROFILE=p", "AWS_REGION=eu-west-1", "AWS_ROLE_ARN=r", "AWS_SECRET_ACCESS_KEY=s", "AWS_SESSION_TOKEN=t",
		"AWS_SHARED_CREDENTIALS_FILE=f", "AWS_WEB_IDENTITY_TOKEN_FILE=w",
	}
	for _, test := range []struct {
		name string
		base []string
		add  map[string]string
		role map[string]string
		want []string // besides always
	}{
		{
			name: "the runner's tokens and the action's inputs are left out",
			base: []string{
				"ACTIONS_ID_TOKEN_REQUEST_TOKEN=x", "ACTIONS_ID_TOKEN_REQUEST_URL=x", "ACTIONS_RUNTIME_TOKEN=x",
				"ACTIONS_RUNTIME_URL=x", "ACTIONS_CACHE_URL=x", "ACTIONS_RESULTS_URL=x",
				"GITHUB_TOKEN=x", "GH_TOKEN=x", "GITHUB_ENTERPRISE_TOKEN=x", "GH_ENTERPRISE_TOKEN=x",
				"INPUT_TOKEN=x", "INPUT_PLAN-ROLE=x", "STATE_POST=x",
				"GITHUB_OUTPUT=x", "GITHUB_ENV=x", "GITHUB_PATH=x", "GITHUB_STATE=x", "GITHUB_STEP_SUMMARY=x",
				"RUNNER_TRACKING_ID=x", "TF_WORKSPACE=x",
			},
		},
		{
			name: "what the user set for Terraform stays",
			base: []string{
				"GITHUB_REPOSITORY=o/r", "HOME=/h", "HTTPS_PROXY=p", "PATH=/bin", "TF_CLI_ARGS_plan=-lock=false",
				"TF_CLI_CONFIG_FILE=c", "TF_LOG=debug", "TF_PLUGIN_CACHE_DIR=d", "TF_VAR_multi=a\nb=c", "TF_VAR_x=",
			},
			want: []string{
				"GITHUB_REPOSITORY=o/r", "HOME=/h", "HTTPS_PROXY=p", "PATH=/bin", "TF_CLI_ARGS_plan=-lock=false",
				"TF_CLI_CONFIG_FILE=c", "TF_LOG=debug", "TF_PLUGIN_CACHE_DIR=d", "TF_VAR_multi=a\nb=c", "TF_VAR_x=",
			},
		},
		{
			name: "what makes Terraform run unattended can't be taken back",
			base: []string{"TF_INPUT=1", "TF_IN_AUTOMATION="},
			add:  map[string]string{"TF_INPUT": "true", "CHECKPOINT_DISABLE": "", "TF_WORKSPACE": "x"},
		},
		{
			name: "what is added wins, also a token",
			base: []string{"A=base", "A=twice", "B=1", "GITHUB_TOKEN=job"},
			add:  map[string]string{"A": "add", "GITHUB_TOKEN": "for the provider"},
			want: []string{"A=add", "B=1", "GITHUB_TOKEN=for the provider"},
		},
		{
			name: "without a role the ambient credentials stay",
			base: ambient,
			want: ambient,
		},
		{
			name: "with a role no other credential stays",
			base: ambient,
			add:  map[string]string{"AWS_PROFILE": "added", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "added", "AWS_REGION": "added"},
			role: map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "role", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "rt"},
			want: []string{
				"AWS_CONTAINER_AUTHORIZATION_TOKEN=rt", "AWS_CONTAINER_CREDENTIALS_FULL_URI=role",
				"AWS_REGION=added", "AWS_SHARED_CREDENTIALS_FILE=f",
			},
		},
		{
			name: "entries that are no variables are left out",
			base: []string{"=C:=C:\\", "NOVALUE"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := terraform.Environ(test.base, test.add, test.role)
			want := terraform.Environ(nil, nil, nil)
			if diff := cmp.Diff(always, want); diff != "" {
				t.Fatal(diff)
			}
			want = sorted(append(want, test.want...))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
