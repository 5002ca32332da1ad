package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/locate"
)

// machine has the programs that the README requires for make demo, and no others.
type machine struct {
	home, temp, tools string
	path              string // a folder
	goEnv             map[string]string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{home: t.TempDir(), tools: t.TempDir(), path: t.TempDir()}
	m.temp = filepath.Join(t.TempDir(), strings.Repeat("a-long-folder-", 5))
	for _, err := range []error{os.Mkdir(m.temp, 0o755), os.Chmod(m.home, 0o555)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []string{"go", "git", "make", "bash", "mkdir"} {
		found, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		link(t, found, filepath.Join(m.path, program))
	}
	out, err := exec.CommandContext(t.Context(), "go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &m.goEnv); err != nil {
		t.Fatal(err)
	}

	// Put Terraform where its download would put it. test/locate tests the download.
	terraform, err := locate.Terraform(t.Context(), locate.Options{AtLeast: oldest, Tools: m.tools, Environ: os.Environ(), Say: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(terraform.Path, m.tools) {
		return m // it was just downloaded
	}
	if strings.Contains(terraform.Version, "-") { // a pre-release, which is only found on PATH
		link(t, terraform.Path, filepath.Join(m.path, "terraform"))
		return m
	}
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	folder := filepath.Join(m.tools, "terraform", terraform.Version, arch)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, terraform.Path, filepath.Join(folder, "terraform"))
	if err := os.WriteFile(folder+".complete", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return m
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// run runs a program with only the machine's environment.
func (m machine) run(ctx context.Context, environ []string, program string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "../.."
	cmd.Env = append([]string{"PATH=" + m.path, "TMPDIR=" + m.temp}, environ...)
	for name, value := range m.goEnv {
		if name != "GOCACHE" && name != "GOMODCACHE" {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func TestMakeDemo(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	mk, demo := filepath.Join(m.path, "make"), filepath.Join(m.tools, "bin", "demo")

	out, errs, err := m.run(t.Context(), []string{"HOME=" + m.home, "GOCACHE=" + m.goEnv["GOCACHE"], "GOMODCACHE=" + m.goEnv["GOMODCACHE"]}, mk, "demo", "TOOLS="+m.tools)
	if err != nil || errs != "" {
		t.Fatalf("error %v\n%s%s", err, out, errs)
	}
	t.Log(out)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	index := lines[len(lines)-1]
	if !strings.HasPrefix(index, m.temp) || filepath.Base(index) != "index.html" {
		t.Errorf("the last line is %q, not the page's path", index)
	}
	for _, line := range lines[:len(lines)-1] {
		if n := utf8.RuneCountInString(line); n > 100 || strings.ContainsRune(line, '\x1b') {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	planfiles, refusals := right(t, lines)
	for plan, apply := range map[string]string{"1": "2", "4": "5", "8": "9"} {
		if len(planfiles[plan]) == 0 || !slices.Equal(planfiles[plan], planfiles[apply]) {
			t.Errorf("step %s planned %q, step %s applied %q", plan, planfiles[plan], apply, planfiles[apply])
		}
	}
	if len(planfiles["4"]) != 2 {
		t.Errorf("step 4 planned %q", planfiles["4"])
	}
	want := map[string]string{"3": "GITOPS-APPLIED", "6": "GITOPS-DIGEST-MISMATCH", "7": "GITOPS-MOVED-CONFIGURATION"}
	if fmt.Sprint(refusals) != fmt.Sprint(want) {
		t.Errorf("refusals %v, want %v", refusals, want)
	}
	for _, text := range []string{`"api:1.4.0" → "api:1.5.0"`, "All 9 steps did what they must"} {
		if !strings.Contains(out, text) {
			t.Errorf("the output does not have %s", text)
		}
	}
	pageHasAll(t, index)
	// A superuser can write to the folder anyway; Go then counts its runs there.
	written, err := filepath.Glob(filepath.Join(m.home, "*", "*"))
	for _, path := range written {
		if path != filepath.Join(m.home, ".config", "go") {
			t.Errorf("%s is in HOME", path)
		}
	}
	if entries, readErr := os.ReadDir(m.home); err != nil || readErr != nil || len(entries) > 1 {
		t.Errorf("in HOME: %v, %v, %v", entries, err, readErr)
	}

	t.Run("without a HOME, and with all summaries", func(t *testing.T) {
		t.Parallel()
		// Go's build cache is shared, to save time. The modules keep their path, since Go would compile
		// them again otherwise.
		link(t, m.goEnv["GOCACHE"], filepath.Join(m.tools, "GOCACHE"))
		out, errs, err := m.run(t.Context(), []string{"HOME=/dev/null/none", "GOMODCACHE=" + m.goEnv["GOMODCACHE"]}, mk, "demo", "TOOLS="+m.tools, "VERBOSE=1")
		if err != nil || errs != "" {
			t.Fatalf("error %v\n%s%s", err, out, errs)
		}
		for _, file := range summaries(t, out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]) {
			title, _, _ := strings.Cut(string(file), "\n")
			if !strings.Contains(out, "   | "+title+"\n") {
				t.Errorf("the output does not show %s", title)
			}
		}
	})
	t.Run("without Terraform and a network", func(t *testing.T) {
		t.Parallel()
		out, errs, err := m.run(t.Context(), []string{"HTTPS_PROXY=http://127.0.0.1:1"}, demo, "-actions", filepath.Dir(demo), "-sample", "test/sample", "-tools", t.TempDir())
		var exit *exec.ExitError
		if _, terraform := os.Stat(filepath.Join(m.path, "terraform")); terraform == nil {
			return // a pre-release
		}
		if !asExit(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(strings.Join(strings.Fields(errs), " "), "terraform is not on PATH, and cannot be downloaded:") {
			t.Errorf("error %v\n%s%s", err, out, errs)
		}
	})
	t.Run("without Git", func(t *testing.T) {
		t.Parallel()
		without := m
		without.path = t.TempDir()
		for _, program := range []string{"go", "make", "bash", "mkdir"} {
			link(t, filepath.Join(m.path, program), filepath.Join(without.path, program))
		}
		out, errs, err := without.run(t.Context(), nil, mk, "demo", "TOOLS="+m.tools)
		if err == nil || !strings.HasPrefix(errs, "make demo: git is not on PATH") || out != "" {
			t.Errorf("error %v\n%s%s", err, out, errs)
		}
	})
	t.Run("with an action that does not do what it must", func(t *testing.T) {
		t.Parallel()
		m.fails(t, demo)
	})
}

// fails runs the demo with a faulty apply action instead of the real one.
func (m machine) fails(t *testing.T, demo string) {
	t.Helper()
	for _, test := range []struct{ name, script, want string }{
		{"applies nothing, and succeeds", `exit 0`, `step 2, "Merge it, apply"`},
		{"never refuses", `if [ $GITHUB_RUN_ID = 1002 ]; then exec REAL; fi; exit 0`, "it was not refused"},
		{"refuses for another reason", `if [ $GITHUB_RUN_ID = 1003 ]; then REAL; echo "[GITOPS-APPLYING]"; exit 1; fi; exec REAL`,
			`it was refused with ["GITOPS-APPLIED" "GITOPS-APPLYING"]`},
		{"refuses, and changes a state", `if [ $GITHUB_RUN_ID = 1003 ]; then echo >>"$GITHUB_WORKSPACE/../state/acme-ue2-prod/network.tfstate"; fi; exec REAL`, "the state has changed"},
		{"applies what was changed", `if [ $GITHUB_RUN_ID = 1007 ]; then exit 0; fi; exec REAL`, `step 6, "Stored planfile changed"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			actions := t.TempDir()
			for _, action := range []string{"plan", "drift-detection", "drift-remediation"} {
				link(t, filepath.Join(filepath.Dir(demo), action), filepath.Join(actions, action))
			}
			real := filepath.Join(filepath.Dir(demo), "apply")
			script := "#!" + filepath.Join(m.path, "bash") + "\n" + strings.ReplaceAll(test.script, "REAL", real) + "\n"
			if err := executable.Write(filepath.Join(actions, "apply"), script); err != nil {
				t.Fatal(err)
			}
			out, errs, err := m.run(t.Context(), nil, demo, "-actions", actions, "-sample", "test/sample", "-tools", m.tools)
			var exit *exec.ExitError
			if !asExit(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(strings.Join(strings.Fields(errs), " "), test.want) || strings.Contains(out, "did what they must") {
				t.Errorf("error %v, want %s\n%s%s", err, test.want, out, errs)
			}
		})
	}
}

func asExit(err error, exit **exec.ExitError) (ok bool) {
	*exit, ok = err.(*exec.ExitError) //nolint:errorlint // as os/exec returns it
	return ok
}

var (
	stepLine = regexp.MustCompile(`^([0-9 ])  .*  (planfile ([0-9a-f]{12})|(GITOPS-[A-Z-]+))$`)
	loads    = regexp.MustCompile(`(?i)<(script|link|img|iframe|object|embed|base|form)\b|@import|url\(["']?(https?:|//)|\bsrc=|\bsrcset=|\son[a-z]+=`)
)

// right returns the right ends of the steps' lines: the planfiles and the codes.
func right(t *testing.T, lines []string) (planfiles map[string][]string, refusals map[string]string) {
	t.Helper()
	planfiles, refusals = map[string][]string{}, map[string]string{}
	step := ""
	for _, line := range lines {
		m := stepLine.FindStringSubmatch(line)
		switch {
		case m == nil:
			continue
		case m[1] != " ":
			step = m[1]
		}
		if m[3] != "" {
			planfiles[step] = append(planfiles[step], m[3])
		} else {
			refusals[step] = m[4]
		}
	}
	return planfiles, refusals
}

// summaries returns the summaries of the demo that wrote the page.
func summaries(t *testing.T, index string) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(strings.TrimSpace(index)), "steps", "*", "summary.md"))
	if err != nil || len(files) != 12 {
		t.Fatalf("summaries %q, error %v", files, err)
	}
	var all [][]byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content)
	}
	return all
}

func pageHasAll(t *testing.T, index string) {
	t.Helper()
	page, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	if found := loads.FindAll(page, -1); found != nil {
		t.Errorf("the page loads or runs something: %q", found)
	}
	for _, summary := range summaries(t, index) {
		html, err := render(string(summary))
		if err != nil {
			t.Fatal(err)
		}
		if len(summary) == 0 || !bytes.Contains(page, []byte(html)) {
			t.Errorf("the page does not show\n%s", summary)
		}
	}
	for _, text := range []string{"Drift: service in acme-ue2-dev", `class="state open"`, `class="state closed"`, "markdown-alert-caution", "prefers-color-scheme: dark"} {
		if !bytes.Contains(page, []byte(text)) {
			t.Errorf("the page does not have %s", text)
		}
	}
}
