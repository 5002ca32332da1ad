// Package terraformtest runs the real Terraform in root modules that tests write.
package terraformtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// Program is the path of the real Terraform that the tests run.
var Program = sync.OnceValue(func() string {
	path, err := exec.LookPath("terraform")
	if err != nil {
		panic("these tests run the real Terraform: install Terraform 1.9 or newer on PATH")
	}
	return path
})

// RootModule makes a root module of the given files.
func RootModule(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	WriteFiles(t, dir, files)
	return dir
}

// WriteFiles writes files into dir, by their paths in it.
func WriteFiles(t testing.TB, dir string, files map[string]string) {
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

// New runs the real Terraform in dir, untouched by this machine's settings.
// It returns its log, too.
func New(t testing.TB, dir string, env ...string) (*terraform.CLI, *Log) {
	t.Helper()
	log := &Log{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of %s:\n%s", dir, log)
		}
	})
	return &terraform.CLI{Path: Program(), Dir: dir, Env: CleanEnv(t, env...), Log: log}, log
}

// CleanEnv is an environment without what this machine sets, and with env.
func CleanEnv(t testing.TB, env ...string) []string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "terraformrc")
	WriteFiles(t, filepath.Dir(config), map[string]string{"terraformrc": ""})
	return append(terraform.Environ([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + t.TempDir(),
		"TF_CLI_CONFIG_FILE=" + config,
	}, nil, nil), env...)
}

// Log is a log that may be read while it is written.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Has checks that the log holds some text.
func (l *Log) Has(t testing.TB, want string) {
	t.Helper()
	if !strings.Contains(l.String(), want) {
		t.Errorf("log does not hold %q:\n%s", want, l)
	}
}

// Init runs init.
func Init(t testing.TB, c *terraform.CLI) {
	t.Helper()
	if _, err := c.Init(t.Context(), terraform.InitOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Plan inits and plans and returns the planfile's path.
func Plan(t testing.TB, c *terraform.CLI) string {
	t.Helper()
	Init(t, c)
	out := filepath.Join(t.TempDir(), "planfile")
	if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: out}); err != nil {
		t.Fatal(err)
	}
	return out
}

// Apply inits, plans and applies.
func Apply(t testing.TB, c *terraform.CLI) terraform.ApplyResult {
	t.Helper()
	result, err := c.Apply(t.Context(), Plan(t, c))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Script makes an executable shell script, to stand in for Terraform where the
// real one can't be brought to do what is tested.
func Script(t testing.TB, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform")
	if err := executable.Write(path, "#!/bin/sh\n"+body); err != nil {
		t.Fatal(err)
	}
	return path
}

// ReadFile is the content of a file.
func ReadFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Exists reports whether there is a file.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Eventually waits until something is so.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	const patience = 5 * time.Minute // the machine may be busy
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v it is not so that %s", patience, what)
		}
	}
}

// Runs reports whether there is a process of this number.
func Runs(pid int) bool { return syscall.Kill(pid, 0) == nil }
