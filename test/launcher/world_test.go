// Package launcher tests shared/launcher, which starts the actions' binaries. It runs it as GitHub's
// runner does. The binaries are scripts, except in one story.
package launcher

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// name is the asset that the plan action needs here.
var name = "plan_" + runtime.GOOS + "_" + runtime.GOARCH

// world is a self-hosted runner with a checkout of the plan action. Its paths are long and contain
// spaces, its home can't be written, and its language is not English.
type world struct {
	t                      *testing.T
	action                 string // the checkout of the action's repository
	temp, cache, workspace string
	environ                []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a runner", strings.Repeat("long", 40))
	w := &world{
		t: t, action: filepath.Join(dir, "_actions"), temp: filepath.Join(dir, "_temp"),
		cache: filepath.Join(dir, "_tool"), workspace: filepath.Join(dir, "work space"),
	}
	home := filepath.Join(dir, "home") // it is a file, so nothing can be written below it
	for _, folder := range []string{w.temp, w.workspace, filepath.Join(w.action, "actions", "plan")} {
		check(t, os.MkdirAll(folder, 0o755))
	}
	check(t, os.WriteFile(home, nil, 0o400))
	check(t, os.CopyFS(filepath.Join(w.action, "shared", "launcher"), os.DirFS("../../shared/launcher")))
	w.environ = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=de_DE.UTF-8", "LC_ALL=de_DE.UTF-8",
		"RUNNER_TEMP=" + w.temp, "RUNNER_TOOL_CACHE=" + w.cache, "RUNNER_TRACKING_ID=github_1",
		"GITHUB_ACTION_REPOSITORY=acme/gitops", "GITHUB_REPOSITORY=acme/infrastructure",
	}
	return w
}

// release writes actions/checksums.txt, as in a release's commit.
func (w *world) release(binary string) {
	w.t.Helper()
	sum := sha256.Sum256([]byte(binary))
	list := fmt.Sprintf("# v1.2.3\n%s  %s\n%s  other_linux_amd64\n", hex.EncodeToString(sum[:]), name, strings.Repeat("0", 64))
	check(w.t, os.WriteFile(filepath.Join(w.action, "actions", "checksums.txt"), []byte(list), 0o644))
}

// mirror is GITOPS_BINARY: a script, in the folder of the release.
func (w *world) mirror(script string) string {
	w.t.Helper()
	w.release(script)
	path := filepath.Join(w.t.TempDir(), name)
	check(w.t, executable.Write(path, script))
	return "GITOPS_BINARY=" + path
}

// step is a main or a post step that has been started.
type step struct {
	t      *testing.T
	cmd    *exec.Cmd
	log    string // file with everything that the step has printed
	files  string // folder with output, state and summary
	exited chan struct{}
}

// start starts plan.js or post.js.
func (w *world) start(script string, environ ...string) *step {
	w.t.Helper()
	s := &step{t: w.t, files: w.t.TempDir(), exited: make(chan struct{})}
	s.log = filepath.Join(s.files, "log")
	log, err := os.Create(s.log)
	check(w.t, err)
	node, err := exec.LookPath("node")
	check(w.t, err)
	s.cmd = exec.CommandContext(w.t.Context(), node, filepath.Join(w.action, "shared", "launcher", script))
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = w.workspace, log, log
	s.cmd.Env = slices.Concat(w.environ, []string{
		"GITHUB_OUTPUT=" + s.file("output"), "GITHUB_STATE=" + s.file("state"), "GITHUB_STEP_SUMMARY=" + s.file("summary"),
	}, environ)
	check(w.t, errors.Join(s.cmd.Start(), log.Close()))
	go func() {
		_ = s.cmd.Wait() // its status is in ProcessState
		close(s.exited)
	}()
	return s
}

// run runs a step to its end.
func (w *world) run(script string, environ ...string) *step {
	w.t.Helper()
	s := w.start(script, environ...)
	s.wait()
	return s
}

// post runs the post step that belongs to a main step.
func (w *world) post(main *step, environ ...string) *step {
	w.t.Helper()
	s := w.startPost(main, environ...)
	s.wait()
	return s
}

func (w *world) startPost(main *step, environ ...string) *step {
	w.t.Helper()
	for line := range strings.Lines(main.read("state")) {
		environ = append(environ, "STATE_"+strings.TrimSpace(line))
	}
	return w.start("post.js", environ...)
}

func (s *step) wait() {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		s.t.Fatalf("the step does not end:\n%s", s.printed())
	}
}

func (s *step) signal(signal os.Signal) {
	s.t.Helper()
	check(s.t, s.cmd.Process.Signal(signal))
}

func (s *step) file(name string) string { return filepath.Join(s.files, name) }

func (s *step) read(name string) string {
	s.t.Helper()
	content, err := os.ReadFile(s.file(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(content)
}

func (s *step) printed() string { s.t.Helper(); return s.read("log") }

// waitFor waits until the step has printed a text.
func (s *step) waitFor(text string) {
	s.t.Helper()
	eventually(s.t, "the step prints "+text, func() bool { return strings.Contains(s.printed(), text) })
}

// want checks how a step ended, and what it printed.
func (s *step) want(status int, texts ...string) {
	s.t.Helper()
	if got := s.cmd.ProcessState.ExitCode(); got != status {
		s.t.Errorf("the exit status is %d, want %d", got, status)
	}
	for _, text := range texts {
		if !strings.Contains(s.printed(), text) {
			s.t.Errorf("%q was not printed", text)
		}
	}
	if s.t.Failed() {
		s.t.Fatalf("printed:\n%s", s.printed())
	}
}

// wantError checks that a step failed with one line, which names the texts.
func (s *step) wantError(status int, texts ...string) {
	s.t.Helper()
	s.want(status)
	var lines []string
	for line := range strings.Lines(s.printed()) {
		if strings.HasPrefix(line, "::error::") {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		s.t.Fatalf("%d lines with an error, want one:\n%s", len(lines), s.printed())
	}
	for _, text := range texts {
		if !strings.Contains(lines[0], text) {
			s.t.Errorf("the error does not say %q: %s", text, lines[0])
		}
	}
}

// wantNothingLeft checks that the temporary folder is empty, and that the cache has only these files.
func (w *world) wantNothingLeft(cached ...string) {
	w.t.Helper()
	var left []string
	for _, root := range []string{w.temp, w.cache} {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err == nil && (!entry.IsDir() || filepath.Dir(path) == w.temp) {
				left = append(left, filepath.Base(path))
			}
			return err
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			w.t.Fatal(err)
		}
	}
	if !slices.Equal(left, cached) {
		w.t.Errorf("left: %q, want %q", left, cached)
	}
}

// preload is a script that Node runs first.
func (w *world) preload(script string) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "preload.js")
	check(w.t, os.WriteFile(path, []byte(script), 0o644))
	return "NODE_OPTIONS=--require " + path
}

// patience is how long an event may take: the machine may be busy.
const patience = 5 * time.Minute

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sh is a shell script as a binary.
func sh(lines ...string) string {
	var script bytes.Buffer
	script.WriteString("#!/bin/sh\n")
	for _, line := range lines {
		script.WriteString(line + "\n")
	}
	return script.String()
}
