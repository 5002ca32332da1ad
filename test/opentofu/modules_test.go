//go:build opentofu

package opentofu

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The modules' own tests, on mocks.
func TestModules(t *testing.T) {
	t.Parallel()
	modules := t.TempDir()
	if err := os.CopyFS(modules, os.DirFS("../../modules")); err != nil {
		t.Fatal(err)
	}
	environ := append(os.Environ(), "TF_CLI_CONFIG_FILE="+cliConfig(t), "TF_IN_AUTOMATION=1",
		"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=", "AWS_PROFILE=")
	tests, err := filepath.Glob(filepath.Join(modules, "*", "tests"))
	if err != nil || len(tests) != 3 {
		t.Fatalf("found tests in %q (%v): want those of three modules", tests, err)
	}
	for _, folder := range tests {
		dir := filepath.Dir(folder)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			for _, args := range [][]string{
				{"fmt", "-check", "-diff", "-recursive"},
				{"init", "-backend=false", "-input=false", "-no-color"},
				{"validate", "-no-color"},
				{"test", "-no-color"},
			} {
				cmd := exec.CommandContext(t.Context(), "tofu", args...)
				cmd.Dir, cmd.Env = dir, environ
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("tofu %s: %v\n%s", args[0], err, out)
				}
				if args[0] == "test" && !strings.Contains(string(out), "Success!") {
					t.Fatalf("tofu test did not test anything:\n%s", out)
				}
			}
		})
	}
}

// cliConfig returns a CLI configuration with which OpenTofu finds the AWS provider. OpenTofu's registry
// has another host name than Terraform's, but the same provider. So links make a mirror for Terraform
// usable. Without a mirror, the provider comes from OpenTofu's registry.
func cliConfig(t *testing.T) string {
	t.Helper()
	home, _ := os.UserHomeDir() // without home there is no mirror in it
	var packages []string       // VERSION/PLATFORM
	for _, mirror := range []string{filepath.Join(home, ".terraform.d/plugins"), "/usr/*/terraform/plugins", "/usr/*/*/terraform/plugins", "/opt/*"} {
		found, err := filepath.Glob(filepath.Join(mirror, "registry.terraform.io/hashicorp/aws/*/*"))
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, found...)
	}
	dir, content := t.TempDir(), ""
	for _, from := range packages {
		version := filepath.Join(dir, "registry.opentofu.org/hashicorp/aws", filepath.Base(filepath.Dir(from)))
		if err := os.MkdirAll(version, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(from, filepath.Join(version, filepath.Base(from))); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		content = fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", dir)
	}
	config := filepath.Join(dir, "tofurc")
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}
