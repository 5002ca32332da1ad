package modules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/awsprovider"
)

// terraformEnviron returns the environment in which Terraform finds the AWS provider: in a mirror on
// this machine if there is one, or else in the registry, from which it is downloaded once for all
// tests.
func terraformEnviron(t *testing.T) map[string]string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "terraformrc")
	environ := map[string]string{"TF_CLI_CONFIG_FILE": config, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
	var content string
	if mirror := awsprovider.Mirror(); mirror != "" {
		content = fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path    = %q\n    include = [%q]\n  }\n  direct {\n    exclude = [%[2]q]\n  }\n}\n", mirror, awsprovider.Source)
	} else {
		cache, err := filepath.Abs("../.tools/plugins")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(cache, 0o755); err != nil {
			t.Fatal(err)
		}
		environ["TF_PLUGIN_CACHE_DIR"] = cache
		// Lock files don't matter here, since each copy of a module gets a new one.
		environ["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
	}
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, entry := range os.Environ() { // nothing may use this machine's AWS account
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") && name != "AWS_CA_BUNDLE" {
			environ[name] = ""
		}
	}
	return environ
}

// serveProvider starts the AWS provider that dir was initialized with, for these modules, and adds to environ
// the variable that makes Terraform use that process: see [awsprovider.Serve].
func serveProvider(t *testing.T, dir string, environ map[string]string, modules ...string) {
	t.Helper()
	environ[awsprovider.ReattachVariable] = awsprovider.Serve(t, filepath.Join(dir, ".terraform", "providers", awsprovider.Source, "*", "*"), entries(environ), modules...)
}

// entries returns this process' environment, overridden by environ, as a list of NAME=VALUE.
func entries(environ map[string]string) []string {
	all := os.Environ()
	for name, value := range environ {
		all = append(all, name+"="+value)
	}
	return all
}

// copyModules copies the modules into a new folder, without what Terraform left.
func copyModules(t *testing.T) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS("../../modules")); err != nil {
		t.Fatal(err)
	}
	return to
}
