package gitaccess

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakegit"
)

// A runner's folder may have a space in it, as on macOS. ssh reads a list of files in some of its options.
func TestSSHReadsFilesInAnyFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "it's a 100%d folder")
	if err := os.MkdirAll(filepath.Join(dir, "repositories"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "git", "init", "--quiet", "--bare", filepath.Join(dir, "repositories", "x.git")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	server, err := fakegit.Start(filepath.Join(dir, "repositories"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	access, err := Parse("", server.PrivateKey, server.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	variables, _, err := access.Give(dir, environ)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "ls-remote", "ssh://"+fakegit.SSHUser+"@"+server.SSH+"/x.git")
	cmd.Env = slices.Concat(environ, variables)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
