package fakerunner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// binariesVariable names a folder with the actions' binaries, of the sources as they are:
// `make test` builds them once for all packages.
const binariesVariable = "TEST_BINARIES"

// Binary is the path of an action's binary. Without that folder it is built into dir, from the
// repository in root.
func Binary(ctx context.Context, root, dir, action string) (string, error) {
	if folder := os.Getenv(binariesVariable); folder != "" {
		file := filepath.Join(folder, action)
		_, err := os.Stat(file)
		return file, err
	}
	file := filepath.Join(dir, action)
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", file, ".")
	build.Dir = filepath.Join(root, "actions", action)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the action %s: %w\n%s", action, err, out)
	}
	return file, nil
}
