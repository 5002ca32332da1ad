package modules

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const awsProvider = "registry.terraform.io/hashicorp/aws"

// terraformEnviron returns the environment in which Terraform finds the AWS provider: in a mirror on
// this machine if there is one, or else in the registry, from which it is downloaded once for all
// tests.
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

// serveProvider starts the AWS provider that dir was initialized with. It adds to environ the variable
// that makes Terraform use that process. Otherwise Terraform would start the provider twice for each
// command and each run of a test, which takes longer than everything else here.
// https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode
func serveProvider(t *testing.T, dir string, environ map[string]string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".terraform", "providers", awsProvider, "*", "*", "terraform-provider-aws*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("found providers %q (error %v) in %s: want one", found, err, dir)
	}
	cmd := exec.CommandContext(t.Context(), found[0], "-debug")
	cmd.Env = append(entries(environ), "AWS_CA_BUNDLE=") // if it is set, the next command can't configure the provider again
	output, err := cmd.StdoutPipe()
	fatal(t, err)
	fatal(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // it was killed: the test's context ends first
	const variable = "TF_REATTACH_PROVIDERS"
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if value, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), variable+"="); ok {
			environ[variable] = strings.Trim(value, "'")
			return
		}
	}
	t.Fatal("the provider ended before it listened")
}

// entries returns this process' environment, overridden by environ, as a list of NAME=VALUE.
func entries(environ map[string]string) []string {
	all := os.Environ()
	for name, value := range environ {
		all = append(all, name+"="+value)
	}
	return all
}

// providerMirror returns a folder that contains the AWS provider: one in which Terraform looks by
// default, or one below /opt. It is empty if there is none.
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
