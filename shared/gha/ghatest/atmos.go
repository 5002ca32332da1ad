package ghatest

import (
	"debug/buildinfo"
	"os/exec"
	"path/filepath"
	"testing"
)

// Atmos is a folder with the Atmos CLI, for [Scripts]: the real one where it is on
// PATH, else the stand-in of test/atmos, built from the repository in root.
func Atmos(t *testing.T, root string) string {
	t.Helper()
	const standIn = "github.com/terraform-gitops/gitops/test/atmos"
	if path, err := exec.LookPath("atmos"); err == nil {
		if info, err := buildinfo.ReadFile(path); err != nil || info.Path != standIn {
			return filepath.Dir(path)
		}
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "atmos"), ".")
	cmd.Dir = filepath.Join(root, "test", "atmos")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the stand-in for Atmos: %v\n%s", err, out)
	}
	return dir
}
