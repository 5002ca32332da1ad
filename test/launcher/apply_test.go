package launcher

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha/ghatest"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// slow is what the apply is making when the job is cancelled.
const slow = `
resource "terraform_data" "made" {
  input = "made"
}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.made]
  provisioner "local-exec" {
    command = "touch ../../../begun; exec sleep 600"
  }
}
resource "terraform_data" "later" {
  depends_on = [terraform_data.slow]
  input      = "never"
}
`

// terraform is a Terraform that ends after the runner has killed the main step, as one does
// that waits for a provider, or for its backend.
const terraform = `#!/bin/sh
"$TERRAFORM" "$@" &
pid=$!
trap 'kill -INT $pid' INT
wait $pid
code=$?
if [ $code -gt 128 ]; then
  wait $pid
  code=$?
fi
[ "$1" != apply ] || { until [ -e ../../../killed ]; do sleep 0.1; done; touch ../../../ended; }
exit $code
`

// TestACancelledApplyEndsWithItsStateWritten cancels a job as GitHub's runner does: SIGINT, 7.5 s
// later SIGTERM, 2.5 s later SIGKILL to the main step. Here each comes once the one before has
// had its effect.
func TestACancelledApplyEndsWithItsStateWritten(t *testing.T) {
	t.Parallel()
	built, binaries := t.TempDir(), map[string]string{}
	for _, action := range []string{"plan", "apply"} {
		var err error
		binaries[action], err = ghatest.Binary(t.Context(), "../..", built, action)
		check(t, err)
	}
	w := newWorld(t)
	runner, err := ghatest.OneComponent(t.Context(), filepath.Join(t.TempDir(), "a runner"), slow)
	check(t, err)
	if _, log, _, err := runner.Exec(t.Context(), binaries["plan"], ghatest.ComponentInputs(), 0); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	runner.RunID++
	prepared, err := runner.Step(ghatest.ComponentInputs())
	check(t, err)
	w.environ, w.workspace, w.temp = prepared.Environ, runner.Workspace(), runner.Temp()
	bin := t.TempDir()
	check(t, os.WriteFile(filepath.Join(bin, "terraform"), []byte(terraform), 0o755))
	real, err := exec.LookPath("terraform")
	check(t, err)
	w.environ = append(w.environ, "TERRAFORM="+real, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))

	main := w.start("apply.js", "GITOPS_BINARY="+binaries["apply"])
	eventually(t, "the apply begins", func() bool { return is(filepath.Join(runner.Dir, "begun")) })
	main.signal(os.Interrupt)
	main.waitFor("Interrupt received")
	main.signal(syscall.SIGTERM)
	main.waitFor("the post step waits for it")
	main.signal(os.Kill)
	main.wait()
	if is(filepath.Join(runner.Dir, "ended")) {
		t.Fatal("the apply was over before the main step was killed")
	}
	post := w.startPost(main)
	post.waitFor("apply is still running: waiting for it to end")
	check(t, os.WriteFile(filepath.Join(runner.Dir, "killed"), nil, 0o644))
	post.wait()

	whole := main.printed() + post.printed()
	post.want(1, "apply is still running: waiting for it to end", "::error::apply component in stack: cancelled")
	for text, times := range map[string]int{"Interrupt received": 1, "telling Terraform to stop at once": 0, "was killed": 0, "::error::": 1} {
		if n := strings.Count(whole, text); n != times {
			t.Errorf("%q was printed %d times, want %d:\n%s", text, n, times, whole)
		}
	}
	if summary := post.read("summary"); !strings.Contains(summary, "cancelled") {
		t.Errorf("the post step's summary does not say what happened: %q", summary)
	}
	state, err := os.ReadFile(filepath.Join(runner.Dir, "state", "terraform.tfstate"))
	check(t, err)
	if !strings.Contains(string(state), `"made"`) || strings.Contains(string(state), `"never"`) {
		t.Errorf("the state is\n%s", state)
	}
	store, err := planstore.OpenDirectory(filepath.Join(runner.Dir, "store"), time.Now)
	check(t, err)
	stored, err := store.Find(t.Context(), planstore.Target{Repository: runner.Repository, Component: "component", Stack: "stack"}, runner.SHA)
	check(t, err)
	if stored.Status != planstore.StatusFailed {
		t.Errorf("the plan is %s, want %s", stored.Status, planstore.StatusFailed)
	}
	w.wantNothingLeft()
}

func is(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, os.ErrNotExist)
}
