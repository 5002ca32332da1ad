package modules

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folders returns the modules, and the root modules that use them.
func folders(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*/versions.tf", "*/examples/*/main.tf"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			all = append(all, filepath.Dir(file))
		}
	}
	if len(all) != 5 {
		t.Fatalf("found %q: want three modules and two examples", all)
	}
	return all
}

// The modules' own tests cover every validation and security property.
func TestModules(t *testing.T) {
	t.Parallel()
	root := copyModules(t)
	dirs, environ := folders(t, root), terraformEnviron(t)
	command := func(t *testing.T, dir string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "terraform", append(args, "-no-color")...)
		cmd.Dir, cmd.Env = dir, entries(environ)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
		}
		return string(out)
	}
	for i, dir := range dirs {
		command(t, dir, "init", "-backend=false", "-input=false")
		if i == 0 {
			serveProvider(t, dir, environ, root) // the next ones do not install it
		}
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(filepath.Join(dir, "tests")); err != nil {
				command(t, dir, "validate")
			} else if out := command(t, dir, "test"); !strings.Contains(out, "Success!") { // it also validates
				t.Fatalf("terraform test did not test anything:\n%s", out)
			}
		})
	}
}

// A validation that no test violates has never been seen to refuse anything.
func TestEveryVariableWithAValidationIsRefusedInATest(t *testing.T) {
	t.Parallel()
	for _, dir := range folders(t, "../../modules") {
		variables, err := os.ReadFile(filepath.Join(dir, "variables.tf"))
		if err != nil {
			t.Fatal(err)
		}
		var tests []byte
		files, _ := filepath.Glob(filepath.Join(dir, "tests", "*.tftest.hcl")) // the pattern is good
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests = append(tests, content...)
		}
		for _, block := range strings.Split(string(variables), "\nvariable ")[1:] {
			name := strings.Split(block, `"`)[1]
			refused := strings.Count(string(tests), "= [var."+name+"]")
			if want := strings.Count(block, "\n  validation {"); refused < want {
				t.Errorf("%s: variable %s has %d validations, and %d tests refuse it", filepath.Base(dir), name, want, refused)
			}
		}
	}
}

// Public modules are called from root modules, which configure the provider.
func TestModulesConfigureNoProvider(t *testing.T) {
	t.Parallel()
	for _, dir := range folders(t, "../../modules") {
		files, _ := filepath.Glob(filepath.Join(dir, "*.tf")) // the pattern is good
		has := slices.ContainsFunc(files, func(file string) bool {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains("\n"+string(content), "\nprovider ")
		})
		if example := strings.Contains(dir, "/examples/"); has != example {
			t.Errorf("%s: has a provider block: %t", dir, has)
		}
	}
}
