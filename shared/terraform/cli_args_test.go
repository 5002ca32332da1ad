package terraform

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/problem"
)

func TestArgumentsFromTheEnvironmentAreSplitAsTerraformDoes(t *testing.T) {
	t.Parallel()
	words, err := cliArgs([]string{
		"TF_CLI_ARGS_plan=-replace=old", "TF_CLI_ARGS=-no-color", `TF_CLI_ARGS_plan=-var 'a=b c' -var-file="x y".tfvars`, "TF_CLI_ARGS_apply=-x",
	}, "plan")
	if diff := cmp.Diff([]string{"-no-color", "-var", "a=b c", "-var-file=x y.tfvars"}, words); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := cliArgs([]string{`TF_CLI_ARGS_init="`}, "init"); problem.CodeOf(err) != problem.Input {
		t.Errorf("an open quote: %v", err)
	}
}

func TestUpgradeIsFoundAndTakenOut(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]bool{
		"-upgrade": true, "--upgrade": true, "-upgrade=true": true, "-upgrade=1": true, "-get=false '-upgrade'": true,
		"-upgrade=false": false, "-upgrade -upgrade=false": false, "-upgrade=false -upgrade": true,
		"-upgraded": false, "-backend-config=x=-upgrade": false, "": false,
	} {
		env := []string{"A=-upgrade", "TF_CLI_ARGS_init=" + args}
		if got, err := Upgrades(env); err != nil || got != want {
			t.Errorf("%q: %v, %v", args, got, err)
		}
		if got, err := Upgrades(WithoutUpgrade(env)); err != nil || got {
			t.Errorf("%q: taken out, and there: %v", args, err)
		}
	}
	env := []string{`TF_CLI_ARGS_init=-upgrade -backend-config='a=it'\''s b' -get`}
	words, err := cliArgs(WithoutUpgrade(env), "init")
	if diff := cmp.Diff([]string{"-backend-config=a=it's b", "-get"}, words); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if env[0] != `TF_CLI_ARGS_init=-upgrade -backend-config='a=it'\''s b' -get` {
		t.Errorf("changed in place: %q", env)
	}
}
