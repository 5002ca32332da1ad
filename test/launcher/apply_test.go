package launcher

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// slow is what the apply is creating when the job is cancelled.
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

// terraform is a Terraform that ends after the runner has killed the main step, as a Terraform does
// that waits for a provider or its backend.
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

// applying is a runner with a plan of the slow component, and the step that applies it.
type applying struct {
	*world
	runner *fakerunner.Runner
	binary string // GITOPS_BINARY
	state  string // the file
}

// eachSource runs a test with a component of gitops.yaml, and with one of each Atmos version.
func eachSource(t *testing.T, test func(t *testing.T, a applying)) {
	t.Helper()
	built, binaries := t.TempDir(), map[string]string{}
	for _, action := range []string{"plan", "apply"} {
		var err error
		binaries[action], err = fakerunner.Binary(t.Context(), "../..", built, action)
		check(t, err)
	}
	atmos := fakerunner.Atmos(t, "../..")
	for _, version := range append([]string{""}, fakerunner.AtmosVersions()...) {
		t.Run("Atmos"+version, func(t *testing.T) {
			t.Parallel()
			a := applying{world: newWorld(t), binary: "GITOPS_BINARY=" + binaries["apply"]}
			dir := filepath.Join(t.TempDir(), "a runner")
			path, err := os.Getenv("PATH"), error(nil)
			if version == "" {
				a.runner, err = fakerunner.OneComponent(t.Context(), dir, slow)
				a.state = filepath.Join(dir, "state", "terraform.tfstate")
			} else {
				a.runner, err = fakerunner.OneAtmosComponent(t.Context(), dir, slow, atmos, version)
				a.state = filepath.Join(dir, "state", "stack", "terraform.tfstate")
				path = atmos + string(os.PathListSeparator) + path
			}
			check(t, err)
			if _, log, _, err := a.runner.Exec(t.Context(), binaries["plan"], fakerunner.ComponentInputs(), 0); err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			a.runner.RunID++
			prepared, err := a.runner.Step(fakerunner.ComponentInputs())
			check(t, err)
			a.environ, a.workspace, a.temp = prepared.Environ, a.runner.Workspace(), a.runner.Temp()
			bin := t.TempDir()
			check(t, executable.Write(filepath.Join(bin, "terraform"), terraform))
			real, err := exec.LookPath("terraform")
			check(t, err)
			a.environ = append(a.environ, "TERRAFORM="+real, "PATH="+bin+string(os.PathListSeparator)+path)
			test(t, a)
		})
	}
}

// status returns the status in the plan's claim.
func (a applying) status() planstore.Status {
	a.t.Helper()
	backend, err := folder.Open(filepath.Join(a.runner.Dir, "store"))
	check(a.t, err)
	store := planstore.New(backend, time.Now)
	stored, err := store.Find(a.t.Context(), planstore.Target{Repository: a.runner.Repository, Component: "component", Stack: "stack"}, a.runner.SHA)
	check(a.t, err)
	return stored.Status
}

// TestACancelledApplyEndsWithItsStateWritten cancels a job as GitHub's runner does: SIGINT, SIGTERM 7.5 s
// later, and SIGKILL to the main step 2.5 s later. The test waits for the effect of each signal
// before it sends the next one, and never sends it earlier than the runner.
func TestACancelledApplyEndsWithItsStateWritten(t *testing.T) {
	t.Parallel()
	eachSource(t, cancelApply)
}

func cancelApply(t *testing.T, a applying) {
	w, runner := a.world, a.runner
	main := w.start("apply.js", a.binary)
	eventually(t, "the apply begins", func() bool { return is(filepath.Join(runner.Dir, "begun")) })
	main.signal(os.Interrupt)
	interrupted := time.Now()
	main.waitFor("Interrupt received")
	time.Sleep(time.Until(interrupted.Add(7500 * time.Millisecond)))
	main.signal(syscall.SIGTERM)
	terminated := time.Now()
	main.waitFor("the post step waits for it")
	time.Sleep(time.Until(terminated.Add(2500 * time.Millisecond)))
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
	state, err := os.ReadFile(a.state)
	check(t, err)
	if !strings.Contains(string(state), `"made"`) || strings.Contains(string(state), `"never"`) {
		t.Errorf("the state is\n%s", state)
	}
	if status := a.status(); status != planstore.StatusFailed {
		t.Errorf("the plan is %s, want %s", status, planstore.StatusFailed)
	}
	w.wantNothingLeft()
}

// If an action is killed, as by the kernel when memory runs out, its Terraform continues, and the
// main step waits for it.
func TestTheTerraformOfAKilledActionIsWaitedFor(t *testing.T) {
	t.Parallel()
	eachSource(t, func(t *testing.T, a applying) {
		step := a.start("apply.js", a.binary)
		eventually(t, "the apply begins", func() bool { return is(filepath.Join(a.runner.Dir, "begun")) })
		children, err := filepath.Glob(filepath.Join(a.temp, "gitops-launch-*", "child"))
		check(t, err)
		content, err := os.ReadFile(children[0])
		check(t, err)
		var child struct{ PID int }
		check(t, json.Unmarshal(content, &child))
		check(t, syscall.Kill(child.PID, syscall.SIGKILL))
		step.waitFor("Terraform is still running: waiting until it has written its state")
		// It stops for one interrupt, which nobody has passed on yet.
		step.signal(os.Interrupt)
		check(t, os.WriteFile(filepath.Join(a.runner.Dir, "killed"), nil, 0o644))
		step.wait()
		step.wantError(137, "the action's process was killed", "stays `applying`")
		if !is(filepath.Join(a.runner.Dir, "ended")) {
			t.Error("Terraform was not waited for")
		}
		state, err := os.ReadFile(a.state)
		check(t, err)
		if !strings.Contains(string(state), `"made"`) || strings.Contains(string(state), `"never"`) {
			t.Errorf("the state is\n%s", state)
		}
		if status := a.status(); status != planstore.StatusApplying {
			t.Errorf("the plan is %s, want %s", status, planstore.StatusApplying)
		}
		check(t, filepath.WalkDir(a.temp, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".lock") {
				t.Errorf("%s was left", path)
			}
			return err
		}))
	})
}

func is(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, os.ErrNotExist)
}
