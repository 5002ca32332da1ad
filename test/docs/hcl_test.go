package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHCLIsFormatted runs terraform fmt on each block of HCL.
func TestHCLIsFormatted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	written := 0
	for _, file := range pages(t) {
		found, _ := blocks(t, file)
		for _, b := range found {
			if b.language != "hcl" {
				continue
			}
			written++
			name := fmt.Sprintf("%s-%d.tf", strings.ReplaceAll(file, "/", "-"), b.line)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if written == 0 {
		t.Fatal("no page has a block of HCL")
	}
	cmd := exec.CommandContext(t.Context(), "terraform", "fmt", "-check", "-diff", "-no-color", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("terraform fmt (files are named after page and line): %v\n%s", err, out)
	}
}
