package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// program is the Atmos to test. It is the real one if PATH has it. Otherwise it is this test's own
// binary, which then plays the stand-in.
var (
	program string
	real    bool
)

const role = "ATMOS_STAND_IN"

func TestMain(m *testing.M) {
	if os.Getenv(role) != "" {
		main()
		os.Exit(0)
	}
	for _, needed := range []string{"terraform", "git"} {
		if _, err := exec.LookPath(needed); err != nil {
			fmt.Fprintf(os.Stderr, "these tests run the real %s: install it on PATH\n", needed)
			os.Exit(1)
		}
	}
	var err error
	if program, real = realAtmos(); !real {
		if program, err = os.Executable(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// realAtmos finds an Atmos on PATH that is not this program.
func realAtmos() (string, bool) {
	path, err := exec.LookPath("atmos")
	if err != nil {
		return "", false
	}
	info, err := buildinfo.ReadFile(path)
	return path, err != nil || info.Path != "github.com/terraform-gitops/gitops/test/atmos"
}

// world is a checkout of the sample.
type world struct {
	t       *testing.T
	dir     string
	version string // the stand-in's version
}

// onEach runs a test with each version of the stand-in, or with the real Atmos.
func onEach(t *testing.T, test func(t *testing.T, version string)) {
	if real {
		test(t, "")
		return
	}
	for _, version := range []string{oldest, newest} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

func newWorld(t *testing.T, version string) *world {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: filepath.Join(dir, "repo"), version: version}
	if err := os.CopyFS(w.dir, os.DirFS("testdata/sample")); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) write(file, content string) {
	w.t.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(file))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), executable.Write(path, content)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(file string) string {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.dir, filepath.FromSlash(file)))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(content)
}

func (w *world) exists(file string) bool {
	_, err := os.Stat(filepath.Join(w.dir, filepath.FromSlash(file)))
	return err == nil
}

func (w *world) edit(file, old, replacement string) {
	w.t.Helper()
	content := w.read(file)
	if !strings.Contains(content, old) {
		w.t.Fatalf("%s does not contain %q", file, old)
	}
	w.write(file, strings.ReplaceAll(content, old, replacement))
}

// commit commits the checkout. The first call makes it a repository.
func (w *world) commit() {
	w.t.Helper()
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"add", "--all"},
		{"-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "--message=more"},
	} {
		w.git(args...)
	}
}

func (w *world) git(args ...string) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir = w.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// branch is another checkout of the commit.
func (w *world) branch() *world {
	w.t.Helper()
	b := &world{t: w.t, dir: filepath.Join(w.t.TempDir(), "branch"), version: w.version}
	w.git("clone", "--quiet", w.dir, b.dir)
	return b
}

type result struct {
	stdout, stderr string
	code           int
}

// atmos runs Atmos in the checkout, with more environment.
func (w *world) atmos(environ []string, args ...string) result {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), program, args...)
	cmd.Dir = w.dir
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "TF_") && !strings.HasPrefix(entry, "ATMOS_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	terraformrc := filepath.Join(filepath.Dir(w.dir), "terraformrc")
	if err := os.WriteFile(terraformrc, nil, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if !real {
		cmd.Env = append(cmd.Env, role+"=yes", versionVariable+"="+w.version, "GORACE=atexit_sleep_ms=0") // else it sleeps a second, under the race detector
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+terraformrc, "CHECKPOINT_DISABLE=1",
		"ATMOS_TELEMETRY_ENABLED=false", "ATMOS_VERSION_CHECK_ENABLED=false")
	cmd.Env = append(cmd.Env, environ...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
