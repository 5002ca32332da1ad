package fakerunner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// builtProvider is the program of test/provider, built once for all stories of a process: see
// [program].
var builtProvider = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "gitops-provider-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file, err := program(context.Background(), filepath.Join("..", "..", "test", "provider"), dir, "provider",
		"GOWORK=off") // a module of its own, with Terraform's libraries
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// Provider writes the provider example.com/test/built, of test/provider, into dir.
func Provider(dir string) error {
	content, err := builtProvider()
	if err != nil {
		return err
	}
	return executable.Write(filepath.Join(dir, "terraform-provider-built"), string(content))
}

// providerMirror is the folder of a story in which Terraform finds the providers.
const providerMirror = "mirror"

// provider makes the providers example.com/test/built and legacy available to Terraform. They are one
// program.
func provider(ts *testscript.TestScript, _ *story, _ []string) {
	content, err := builtProvider()
	ts.Check(err)
	mirror := ts.MkAbs(providerMirror)
	for _, name := range []string{"built", "legacy"} {
		file := filepath.Join(mirror, "example.com", "test", name, "1.0.0", runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-"+name+"_v1.0.0")
		ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
		ts.Check(executable.Write(file, string(content)))
	}
	settings := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	ts.Check(os.WriteFile(ts.MkAbs("terraformrc"), []byte(settings), 0o644))
}
