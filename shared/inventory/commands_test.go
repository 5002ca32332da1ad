package inventory

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// run gives commands to a shell, and returns what terraform, tofu and atmos were called with:
// a line for each word.
func run(t *testing.T, commands []string) string {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{"terraform", "tofu", "atmos"} {
		script := "#!/bin/sh\nprintf '<%s>\\n' " + name + ` "$@"` + "\n" + `if [ -n "$NOTE" ]; then echo "NOTE=$NOTE"; fi` + "\n"
		if err := executable.Write(filepath.Join(bin, name), script); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", strings.Join(commands, "\n"))
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "NOTE="}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestPlanCommandsGiveTerraformTheTargetsOwnSettings(t *testing.T) {
	t.Parallel()
	hostile := `it's $(touch x) "; rm -rf /`
	for name, c := range map[string]struct {
		target      Target
		refreshOnly bool
		want        []string
	}{
		"plain": {Target{Dir: "."}, false, []string{"terraform", "init", "terraform", "plan"}},
		"with everything": {
			Target{Dir: "components/network", Workspace: "dev 1", VarFiles: []string{"stacks/dev.tfvars", "components/network/own.tfvars"}, BackendConfig: []string{"key=" + hostile, "stacks/backend.hcl"}},
			true,
			[]string{
				"terraform", "-chdir=components/network", "init", "-backend-config=key=" + hostile, "-backend-config=../../stacks/backend.hcl",
				"terraform", "-chdir=components/network", "workspace", "select", "-or-create", "dev 1",
				"terraform", "-chdir=components/network", "plan", "-var-file=../../stacks/dev.tfvars", "-var-file=own.tfvars", "-refresh-only",
			},
		},
		"Atmos": {
			Target{Component: "vpc", Stack: hostile, Dir: "components/vpc", Atmos: &AtmosComponent{}}, true,
			[]string{"atmos", "terraform", "plan", "vpc", "-s", hostile, "-refresh-only"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := "<" + strings.Join(c.want, ">\n<") + ">\n"
			if diff := cmp.Diff(want, run(t, c.target.PlanCommands("terraform", c.refreshOnly))); diff != "" {
				t.Error(diff)
			}
		})
	}
	env := Target{Dir: ".", Env: map[string]string{"NOTE": hostile}}
	if got := run(t, env.PlanCommands("tofu", false)); got != "<tofu>\n<init>\nNOTE="+hostile+"\n<tofu>\n<plan>\nNOTE="+hostile+"\n" {
		t.Errorf("got %s", got)
	}
}
