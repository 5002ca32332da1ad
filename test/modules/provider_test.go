package modules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const awsProvider = "registry.terraform.io/hashicorp/aws"

// terraformEnviron is the environment that Terraform needs to find the AWS
// provider: in a mirror on this machine where there is one, else in the registry,
// once for all tests.
func terraformEnviron(t *testing.T) map[string]string {
	t.Helper()
	config := filepath.Join(t.TempDir(), "terraformrc")
	environ := map[string]string{"TF_CLI_CONFIG_FILE": config, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
	var content string
	if mirror := providerMirror(); mirror != "" {
		content = fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path    = %q\n    include = [%q]\n  }\n  direct {\n    exclude = [%[2]q]\n  }\n}\n", mirror, awsProvider)
	} else {
		cache, err := filepath.Abs("../.tools/plugins")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(cache, 0o755); err != nil {
			t.Fatal(err)
		}
		environ["TF_PLUGIN_CACHE_DIR"] = cache
		// Lock files are of no use here: they are made anew for each copy.
		environ["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
	}
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, entry := range os.Environ() { // nothing of this machine's account
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") && name != "AWS_CA_BUNDLE" {
			environ[name] = ""
		}
	}
	return environ
}

// providerMirror is a folder that holds the AWS provider: one of those where
// Terraform looks by itself, or one below /opt. Empty when there is none.
// https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
func providerMirror() string {
	home, _ := os.UserHomeDir() // without home there is no mirror in it
	data := os.Getenv("XDG_DATA_HOME")
	if data == "" {
		data = filepath.Join(home, ".local", "share")
	}
	dirs := []string{filepath.Join(home, ".terraform.d", "plugins"), filepath.Join(data, "terraform", "plugins")}
	shared := os.Getenv("XDG_DATA_DIRS")
	if shared == "" {
		shared = "/usr/local/share:/usr/share"
	}
	for _, dir := range filepath.SplitList(shared) {
		dirs = append(dirs, filepath.Join(dir, "terraform", "plugins"))
	}
	below, _ := filepath.Glob("/opt/*") // the pattern is good
	for _, dir := range append(dirs, below...) {
		if info, err := os.Stat(filepath.Join(dir, awsProvider)); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
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
