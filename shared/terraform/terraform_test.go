package terraform_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/terraform"
)

// program is the real Terraform that the tests run.
var program string

func TestMain(m *testing.M) {
	if status, kept := terraform.Keep(os.Args, os.Environ()); kept {
		os.Exit(status)
	}
	if dir := os.Getenv(orphanVariable); dir != "" {
		applyUntilKilled(dir)
	}
	path, err := exec.LookPath("terraform")
	if err != nil {
		fmt.Fprintln(os.Stderr, "these tests run the real Terraform: install Terraform 1.9 or newer on PATH")
		os.Exit(1)
	}
	program = path
	os.Exit(m.Run())
}

// rootModule makes a root module of the given files.
func rootModule(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, files)
	return dir
}

func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// newCLI runs the real Terraform in dir, untouched by this machine's settings.
// It returns its log, too.
func newCLI(t testing.TB, dir string, env ...string) (*terraform.CLI, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of %s:\n%s", dir, log)
		}
	})
	return &terraform.CLI{Path: program, Dir: dir, Env: cleanEnv(t, env...), Log: log}, log
}

func cleanEnv(t testing.TB, env ...string) []string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "terraformrc")
	writeFiles(t, filepath.Dir(config), map[string]string{"terraformrc": ""})
	return append(terraform.Environ([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + t.TempDir(),
		"TF_CLI_CONFIG_FILE=" + config,
	}, nil, nil), env...)
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logBuffer) has(t testing.TB, want string) {
	t.Helper()
	if !strings.Contains(l.String(), want) {
		t.Errorf("log does not hold %q:\n%s", want, l)
	}
}

func mustInit(t testing.TB, c *terraform.CLI) {
	t.Helper()
	if err := c.Init(t.Context(), terraform.InitOptions{}); err != nil {
		t.Fatal(err)
	}
}

// mustPlan inits and plans and returns the planfile's path.
func mustPlan(t testing.TB, c *terraform.CLI) string {
	t.Helper()
	mustInit(t, c)
	out := filepath.Join(t.TempDir(), "planfile")
	if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: out}); err != nil {
		t.Fatal(err)
	}
	return out
}

func mustApply(t testing.TB, c *terraform.CLI) terraform.ApplyResult {
	t.Helper()
	result, err := c.Apply(t.Context(), mustPlan(t, c))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// script makes an executable shell script, to stand in for Terraform where the
// real one can't be brought to do what is tested.
func script(t testing.TB, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

type failingWriter struct{ calls int }

func (w *failingWriter) Write([]byte) (int, error) {
	w.calls++
	return 0, io.ErrClosedPipe
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	const patience = 5 * time.Minute // the machine may be busy
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is not so that %s", patience, what)
		}
	}
}
