// Package awsprovider finds Terraform's AWS provider, and starts it once for many commands.
package awsprovider

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Source is the address of the provider.
const Source = "registry.terraform.io/hashicorp/aws"

// Mirror returns a folder that contains the provider: one in which Terraform looks by default, or one
// below /opt. It is empty if there is none.
// https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
func Mirror() string {
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
		if info, err := os.Stat(filepath.Join(dir, Source)); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}

// Unpacked returns a folder, laid out as a mirror, that contains this version of the provider
// unpacked: [Mirror], or cache, into which it is downloaded the first time.
func Unpacked(t testing.TB, cache, version string) string {
	t.Helper()
	for _, dir := range []string{Mirror(), cache} {
		if dir != "" && executables(filepath.Join(dir, Source, version, "*")) != nil {
			return dir
		}
	}
	config := filepath.Join(t.TempDir(), "terraformrc")
	dir := t.TempDir()
	module := fmt.Sprintf("terraform {\n  required_providers {\n    aws = {\n      source  = %q\n      version = %q\n    }\n  }\n}\n", Source, version)
	err := errors.Join(os.MkdirAll(cache, 0o755), os.WriteFile(config, nil, 0o600), os.WriteFile(filepath.Join(dir, "main.tf"), []byte(module), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "terraform", "init", "-input=false", "-no-color")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TF_CLI_CONFIG_FILE="+config, "TF_PLUGIN_CACHE_DIR="+cache, "CHECKPOINT_DISABLE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("download the AWS provider: %v\n%s", err, out)
	}
	return cache
}

func executables(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, "terraform-provider-aws*")) // the pattern is good
	return found
}

// ReattachVariable is the variable that makes Terraform use a provider that runs already.
const ReattachVariable = "TF_REATTACH_PROVIDERS"

// Serve starts the provider that is in dir, and returns the value of [ReattachVariable]. Otherwise
// Terraform starts the provider once or twice for each command, which takes longer than most commands.
// All commands that use it must configure the provider in the same way. They can use the types that files
// below the folders of code name: Terraform does not know the others, and says so.
// https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode
func Serve(t testing.TB, dir string, environ []string, code ...string) string {
	t.Helper()
	found := executables(dir)
	if len(found) != 1 {
		t.Fatalf("found providers %q in %s: want one", found, dir)
	}
	cmd := exec.CommandContext(t.Context(), found[0], "-debug")
	cmd.Env = append(environ, "AWS_CA_BUNDLE=") // if it is set, the next command can't configure the provider again
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // it was killed: the test's context ends first
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if value, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), ReattachVariable+"="); ok {
			return reattach(t, []byte(strings.Trim(value, "'")), code)
		}
	}
	t.Fatal("the provider ended before it listened")
	return ""
}

// reattach returns the value of [ReattachVariable] that puts [forward] between Terraform and the provider.
func reattach(t testing.TB, value []byte, code []string) string {
	t.Helper()
	providers := map[string]struct {
		Protocol        string
		ProtocolVersion int
		Pid             int
		Test            bool
		Addr            struct{ Network, String string }
	}{}
	if err := json.Unmarshal(value, &providers); err != nil {
		t.Fatal(err)
	}
	provider := providers[Source]
	provider.Addr.String = forward(t, provider.Addr.String, typesIn(t, code))
	providers[Source] = provider
	value, err := json.Marshal(providers)
	if err != nil {
		t.Fatal(err)
	}
	return string(value)
}
