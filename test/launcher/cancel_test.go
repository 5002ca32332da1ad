package launcher

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// begin tells the test that the script has set its traps.
const begin = `echo begun`

func TestOneSignalIsPassedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	step := w.start("plan.js", w.mirror(sh(
		`trap 'echo got INT' INT; trap 'echo got TERM' TERM`, begin,
		`while [ ! -e "$GITHUB_OUTPUT.end" ]; do sleep 0.1; done; exit 4`,
	)))
	step.waitFor("begun")
	step.signal(os.Interrupt)
	step.waitFor("got INT")
	step.signal(syscall.SIGTERM)
	step.waitFor("the post step waits for it")
	run, err := filepath.Glob(filepath.Join(w.temp, "gitops-launch-*"))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(run[0], "output.end"), nil, 0o600))
	step.wait()
	step.want(4)
	if printed := step.printed(); strings.Contains(printed, "got TERM") || strings.Count(printed, "got INT") != 1 {
		t.Errorf("printed:\n%s", printed)
	}
	w.wantNothingLeft()
}

// waitNoted waits until a step's launcher has noted how much it has printed. If it is killed before that, the
// post step prints that part again.
func (w *world) waitNoted(main *step) {
	w.t.Helper()
	eventually(w.t, "the launcher notes what it has printed", func() bool {
		noted, _ := filepath.Glob(filepath.Join(w.temp, "gitops-launch-*", "printed"))
		for _, file := range noted {
			if count, _ := os.ReadFile(file); string(count) == strconv.Itoa(len(main.printed())) {
				return true
			}
		}
		return false
	})
}

// The runner kills the main step of a cancelled job after 10 seconds. What the binary
// prints and leaves afterwards reaches the job through the post step.
func TestThePostStepGoesOnWithAKilledMainStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	given := w.mirror(sh(
		`trap '' INT`, begin, `echo ::group::Terraform; echo ::stop-commands::secret-token`,
		`printf 'half a line'; while [ -e "`+w.workspace+`/hold" ]; do sleep 0.1; done`,
		`echo ', whole'; echo ::error::not a command; echo ::secret-token::; echo ::endgroup::`,
		`echo '# Cancelled' >>"$GITHUB_STEP_SUMMARY"; echo 5 >"$STATE_GITOPS_STATUS"; exit 5`,
	))
	hold := filepath.Join(w.workspace, "hold")
	check(t, os.WriteFile(hold, nil, 0o644))
	main := w.start("plan.js", given)
	main.waitFor("stop-commands")
	w.waitNoted(main)
	main.signal(os.Interrupt)
	main.signal(os.Kill)
	main.wait()
	post := w.startPost(main)
	post.waitFor("plan is still running")
	check(t, os.Remove(hold))
	post.wait()
	post.want(5, "plan is still running")
	if want := "begun\n::group::Terraform\n::stop-commands::secret-token\n"; main.printed() != want {
		t.Errorf("the main step printed %q, want %q", main.printed(), want)
	}
	// A new step's commands are accepted again until stop-commands.
	_, printed, _ := strings.Cut(post.printed(), "\n")
	if want := "::stop-commands::secret-token\nhalf a line, whole\n::error::not a command\n::secret-token::\n::endgroup::\n"; printed != want {
		t.Errorf("the post step printed %q, want %q", printed, want)
	}
	if post.read("summary") != "# Cancelled\n" {
		t.Errorf("the summary is %q", post.read("summary"))
	}
	w.wantNothingLeft()
}

// A binary that ended between the two steps is reported as it ended.
func TestThePostStepReportsWhatEndedBeforeIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	end := filepath.Join(w.workspace, "end")
	main := w.start("plan.js", w.mirror(sh(`echo pid $$`, `until [ -e "`+end+`" ]; do sleep 0.1; done; echo done; echo 0 >"$STATE_GITOPS_STATUS"`)))
	pid := main.pid()
	w.waitNoted(main)
	main.signal(os.Kill)
	main.wait()
	check(t, os.WriteFile(end, nil, 0o600))
	eventually(t, "the binary ends", func() bool { return !runs(pid) })
	post := w.post(main)
	post.want(0)
	if post.printed() != "done\n" {
		t.Errorf("printed %q", post.printed())
	}
}

// A job that is cancelled during the post step gets no signal: the machine goes.
func TestThePostStepDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	main := w.start("plan.js", w.mirror(sh(
		`trap 'echo got INT' INT; trap 'echo got TERM; echo 6 >"$STATE_GITOPS_STATUS"; exit 6' TERM`, begin,
		`while :; do sleep 0.1; done`,
	)))
	main.waitFor("begun")
	main.signal(os.Kill)
	main.wait()
	post := w.post(main, "GITOPS_CANCEL_TIMEOUT=1")
	// In between it may print again what the killed step had printed last.
	post.want(6, "plan is still running: waiting for it to end, 1 s before it is interrupted\n", "got INT\ngot TERM\n")
	w.wantNothingLeft()
}

func TestAnInterruptBeforeTheBinaryListensIsNoFailureOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	step := w.start("plan.js", w.mirror(sh(begin, `exec sleep 600`)))
	step.waitFor("begun")
	step.signal(os.Interrupt)
	step.wait()
	step.want(130)
	if strings.Contains(step.printed(), "::error") {
		t.Error(step.printed())
	}
}
