package launcher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// planfile is a script that creates a job's private folder, and prints a line.
const planfile = `mkdir "$RUNNER_TEMP/gitops-123"; echo state >"$RUNNER_TEMP/gitops-123/planfile"; echo begun`

// kept creates a folder that an earlier step of the job has left on purpose.
func (w *world) kept() string {
	w.t.Helper()
	kept := filepath.Join(w.temp, "gitops-77")
	check(w.t, os.Mkdir(kept, 0o700))
	return kept
}

func (w *world) wantPlanfile(there bool) {
	w.t.Helper()
	_, err := os.Stat(filepath.Join(w.temp, "gitops-123"))
	if is := !errors.Is(err, os.ErrNotExist); is != there {
		w.t.Errorf("there is a planfile: %v, want %v", is, there)
	}
}

// pid is the process that a step's script printed.
func (s *step) pid() int {
	s.t.Helper()
	s.waitFor("pid ")
	_, rest, _ := strings.Cut(s.printed(), "pid ")
	number, _, _ := strings.Cut(rest, "\n")
	pid, err := strconv.Atoi(number)
	check(s.t, err)
	return pid
}

// runs reports whether a process exists and is not a zombie.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestAKilledBinaryLeavesNoPlanfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kept := w.kept()
	step := w.run("plan.js", w.mirror(sh(planfile, `echo ::stop-commands::token`, `kill -KILL $$`)))
	step.wantError(137, "plan: the action's process was killed", "stays `applying`", "plan again")
	if !strings.Contains(step.printed(), "::token::\n::error::") {
		t.Errorf("the runner takes no commands where the error is printed:\n%s", step.printed())
	}
	w.wantPlanfile(false)
	_, err := os.Stat(kept)
	check(t, err)
}

// Such a binary may be gone before the launcher looks at it.
func TestABinaryThatIsKilledAtOnceIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	step := w.start("plan.js", w.mirror(sh(`kill -KILL $$`)))
	step.wait()
	step.wantError(137, "plan: the action's process was killed")
	w.wantNothingLeft()
}

// Terraform leads a process group in the action's session. It continues and writes its state. The
// launcher ignores a process that a provisioner left in the background.
func TestAKilledBinaryIsOutlivedByTerraform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	step := w.start("plan.js", w.mirror("#!/bin/bash\n"+
		"sleep 600 &\n"+
		"echo pid $!\n"+
		"set -m\n"+
		"bash -c 'touch begun; until [ -e end ]; do sleep 0.1; done; echo the state is written' &\n"+
		"until [ -e begun ]; do sleep 0.1; done\n"+
		"kill -KILL $$\n"))
	background := step.pid()
	t.Cleanup(func() { _ = syscall.Kill(background, syscall.SIGKILL) })
	step.waitFor("Terraform is still running")
	check(t, os.WriteFile(filepath.Join(w.workspace, "end"), nil, 0o600))
	step.wait()
	if !runs(background) {
		t.Error("what runs in the background was waited for, or ended")
	}
	step.wantError(137, "was killed")
	step.want(137, "Terraform is still running", "the state is written")
	w.wantNothingLeft()
}

func TestThePostStepRemovesThePlanfilesOfAKilledBinary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	kept := w.kept()
	main := w.start("plan.js", w.mirror(sh(planfile, `echo pid $$`, `exec sleep 600`)))
	pid := main.pid()
	main.signal(os.Kill)
	main.wait()
	check(t, syscall.Kill(pid, syscall.SIGKILL))
	w.post(main).wantError(137, "was killed")
	w.wantPlanfile(false)
	_, err := os.Stat(kept)
	check(t, err)
}

func TestTheNextStepRemovesWhatAKilledJobLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	main := w.start("plan.js", w.mirror(sh(planfile, `echo pid $$`, `exec sleep 600`)))
	pid := main.pid()
	other := w.mirror(sh("echo ran"))
	w.run("plan.js", other).want(0, "ran")
	w.wantPlanfile(true) // in use

	main.signal(os.Kill)
	main.wait()
	w.run("plan.js", other).want(0, "ran")
	w.wantPlanfile(true) // still: the binary outlives its step

	check(t, syscall.Kill(pid, syscall.SIGKILL))
	w.run("plan.js", other).want(0, "removing what a killed step left", "ran")
	w.wantPlanfile(false)
	w.wantNothingLeft()
}
