package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each case is a package that the real `go test -json` runs.
func TestVerdict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source string
		good   bool
		want   []string // in the output
		never  []string
		last   string
	}{
		"all pass": {
			source: `func TestA(t *testing.T) { t.Log("chatter"); t.Run("b", func(t *testing.T) {}) }`,
			good:   true, want: []string{"ok  \texample.com/a"}, never: []string{"chatter"}, last: "2 passed, 0 failed",
		},
		"a failing test is shown whole, others are not": {
			source: `
				func TestGood(t *testing.T) { t.Parallel(); t.Log("chatter") }
				func TestBad(t *testing.T) { t.Parallel(); t.Log("before"); t.Run("sub", func(t *testing.T) { t.Error("broken") }) }`,
			want:  []string{"before", "broken", "--- FAIL: TestBad/sub", "failed: example.com/a TestBad\n", "failed: example.com/a TestBad/sub\n", "FAIL\texample.com/a"},
			never: []string{"chatter"}, last: "1 passed, 2 failed",
		},
		"a skipped test fails the run": {
			source: `func TestA(t *testing.T) {}; func TestB(t *testing.T) { t.Skip("no terraform") }`,
			want:   []string{"no terraform", "skipped: example.com/a TestB\n"}, last: "1 passed, 0 failed, 1 skipped",
		},
		"a skipped subtest fails the run": {
			source: `func TestA(t *testing.T) { t.Run("b", func(t *testing.T) { t.SkipNow() }) }`,
			want:   []string{"skipped: example.com/a TestA/b\n"}, last: "1 passed, 0 failed, 1 skipped",
		},
		"a panic is shown with the tests it ended": {
			source: `func TestA(t *testing.T) { go func() { panic("at the disco") }(); select {} }`,
			want:   []string{"at the disco", "failed: example.com/a TestA\n"}, last: "0 passed, 1 failed",
		},
		"an exit outside any test fails its package": {
			source: `func TestA(t *testing.T) {}; func TestMain(m *testing.M) { m.Run(); println("leaving"); os.Exit(3) }`,
			want:   []string{"leaving", "failed: example.com/a\n"}, last: "1 passed, 1 failed",
		},
		"code that does not build": {
			source: `func TestA(t *testing.T) { undefined() }`,
			want:   []string{"undefined: undefined", "failed: example.com/a\n"}, last: "0 passed, 1 failed",
		},
		"no tests at all prove nothing": {
			source: ``, last: "0 passed, 0 failed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, good := conclude(t, goTest(t, c.source))
			if good != c.good {
				t.Errorf("verdict is %t, want %t", good, c.good)
			}
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("output lacks %q", want)
				}
			}
			for _, never := range c.never {
				if strings.Contains(got, never) {
					t.Errorf("output contains %q", never)
				}
			}
			if !strings.HasSuffix(got, "\n"+c.last+"\n") && got != c.last+"\n" {
				t.Errorf("output does not end with the line %q", c.last)
			}
			if t.Failed() {
				t.Logf("output:\n%s", got)
			}
		})
	}
}

func TestKilledGoTestFails(t *testing.T) {
	t.Parallel()
	got, good := conclude(t, []byte(`make: Entering directory
{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestA"}
{"Action":"pass","Package":"a","Test":"TestA"}
{"Action":"run","Package":"a","Test":"TestB"}
{"Action":"output","Package":"a","Test":"TestB","Output":"thinking\n"}
`))
	const want = "make: Entering directory\nthinking\nfailed: a\nfailed: a TestB\n1 passed, 2 failed\n"
	if good || got != want {
		t.Errorf("got %t and:\n%s\nwant:\n%s", good, got, want)
	}
}

func conclude(t *testing.T, stream []byte) (string, bool) {
	t.Helper()
	var out strings.Builder
	v := newVerdict(&out)
	if err := v.read(bytes.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	good := v.conclude()
	return out.String(), good
}

// goTest returns the output of `go test -json` for a package with this test file.
func goTest(t *testing.T, source string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":    "module example.com/a\n\ngo 1.26.0\n",
		"a.go":      "package a\n",
		"a_test.go": "package a\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nvar _, _ = os.Exit, testing.Short\n" + source + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-json", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return out
}
