package fakerunner

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// builtProvider builds test/provider once for all stories of a process, and returns the
// program.
var builtProvider = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "gitops-provider-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "provider")
	build := exec.Command("go", "build", "-o", program, ".") //nolint:noctx // as long as it takes
	build.Dir = filepath.Join("..", "..", "test", "provider")
	build.Env = append(os.Environ(), "GOWORK=off") // a module of its own, with Terraform's libraries
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the provider: %w: %s", err, out)
	}
	return os.ReadFile(program)
})

// provider has Terraform find the provider example.com/test/built.
func provider(ts *testscript.TestScript, _ *story, _ []string) {
	program, err := builtProvider()
	ts.Check(err)
	mirror := ts.MkAbs("mirror")
	file := filepath.Join(mirror, "example.com", "test", "built", "1.0.0", runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-built_v1.0.0")
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
	ts.Check(os.WriteFile(file, program, 0o755)) //nolint:gosec // a program
	settings := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	ts.Check(os.WriteFile(ts.MkAbs("terraformrc"), []byte(settings), 0o644))
}
