package launcher

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The binary runs as if the runner had started it directly.
func TestABinaryGetsItsInputsAndGivesItsOutputs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	given := w.mirror(sh(
		`tr '\0' '\n' </proc/$$/environ | grep -E '^(INPUT_|RUNNER_TRACKING_ID)' | sort`,
		`pwd; readlink /proc/self/fd/0`,
		`echo on standard error >&2`,
		`printf 'status=failed\n' >>"$GITHUB_OUTPUT"; echo '# Summary' >>"$GITHUB_STEP_SUMMARY"`,
		`printf 'no newline at the end'; exit 3`,
	))
	step := w.run("plan.js", given, "INPUT_PLAN-STORAGE=fa lse\nä", "INPUT_STACK=dev")
	step.want(3)
	want := "INPUT_PLAN-STORAGE=fa lse\nINPUT_STACK=dev\nRUNNER_TRACKING_ID=\n" + w.workspace + "\n/dev/null\non standard error\nno newline at the end"
	if got := step.printed(); got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
	if output, summary := step.read("output"), step.read("summary"); output != "status=failed\n" || summary != "# Summary\n" {
		t.Errorf("output %q, summary %q", output, summary)
	}
	w.wantNothingLeft()

	post := w.post(step)
	post.want(0)
	if post.printed() != "" || post.read("summary") != "" {
		t.Errorf("a post step with nothing to do printed %q, and wrote %q", post.printed(), post.read("summary"))
	}
}

func TestAMirrorGivesWhatTheCommitLists(t *testing.T) {
	t.Parallel()
	t.Run("a folder", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		file := strings.TrimPrefix(w.mirror(sh("echo ran")), "GITOPS_BINARY=")
		w.run("plan.js", "GITOPS_BINARY="+filepath.Dir(file)).want(0, "ran")
	})
	t.Run("another file", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		given := w.mirror(sh("echo ran"))
		w.release(sh("echo listed"))
		step := w.run("plan.js", given)
		step.wantError(1, "GITOPS_BINARY: ", name, "SHA-256 is not the one", "v1.2.3")
		if strings.Contains(step.printed(), "ran\n") {
			t.Error("it was run")
		}
		w.wantNothingLeft()
	})
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.release("")
		w.run("plan.js", "GITOPS_BINARY="+filepath.Join(w.workspace, "none")).wantError(1, "GITOPS_BINARY: "+w.workspace)
	})
	t.Run("a commit that is no release", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		given := w.mirror(sh("echo ran"))
		check(t, os.Remove(filepath.Join(w.action, "actions", "checksums.txt")))
		w.run("plan.js", given).want(0, "ran")
	})
}

func TestACommitThatIsNoReleaseIsBuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source := filepath.Join(w.action, "actions", "plan")
	check(t, os.WriteFile(filepath.Join(source, "go.mod"), []byte("module plan\n\ngo 1.24\n"), 0o644))
	main := filepath.Join(source, "main.go")
	once := rand.Text() // no cache has this program
	check(t, os.WriteFile(main, []byte("package main\n\nfunc main() { println(\"built "+once+"\") }\n"), 0o644))
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output() // it has the standard library
	check(t, err)
	environ := []string{"GOCACHE=" + strings.TrimSpace(string(cache)), "GOPATH=" + t.TempDir()}
	w.run("plan.js", environ...).want(0, "built "+once)
	w.wantNothingLeft()

	w.run("plan.js", append(environ, "PATH="+t.TempDir())...).wantError(1, "there is no Go", "actions/setup-go")
	check(t, os.WriteFile(main, []byte("package main\n\nfunc main() { wrong }\n"), 0o644))
	w.run("plan.js", environ...).wantError(1, "go build failed")
	w.wantNothingLeft()
}

func TestWhatCanNotRunSaysWhy(t *testing.T) {
	t.Parallel()
	t.Run("another system", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.run("plan.js", w.preload(`Object.defineProperty(process, "platform", { value: "win32" })`)).
			wantError(1, "there is no binary for win32 on x64", "Linux or macOS")
		w.wantNothingLeft()
	})
	t.Run("an action that is not listed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.release("")
		w.run("apply.js").wantError(1, "checksums.txt of v1.2.3 does not list apply_")
	})
	t.Run("a list that is none", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		check(t, os.WriteFile(filepath.Join(w.action, "actions", "checksums.txt"), []byte("<html>\n"), 0o644))
		w.run("plan.js").wantError(1, "is not a list of checksums")
	})
	t.Run("a file that may not be run", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		given := w.mirror(sh("echo ran"))
		check(t, os.Chmod(strings.TrimPrefix(given, "GITOPS_BINARY="), 0o644))
		w.run("plan.js", given).wantError(1, "cannot be started", "EACCES")
		w.wantNothingLeft()
	})
}
