package fakerunner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// binariesVariable names a folder with programs that were built from the current sources.
// `make test` builds them once for all packages.
const binariesVariable = "TEST_BINARIES"

// freshVariable says that these programs were built just now. Without it, a test of an action runs what it was
// compiled with, since somebody who works on the action may have an older build.
const freshVariable = "TEST_BINARIES_ARE_FRESH"

// Binary is the path of an action's binary: see [program]. root is the folder of this repository.
func Binary(ctx context.Context, root, dir, action string) (string, error) {
	return program(ctx, filepath.Join(root, "actions", action), dir, action)
}

// program is the path of a program in the folder that binariesVariable names. If it is not there, it
// is built into dir from the folder source.
func program(ctx context.Context, source, dir, name string, environ ...string) (string, error) {
	if file := built(name); file != "" {
		return file, nil
	}
	file, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", file, ".")
	build.Dir, build.Env = source, append(os.Environ(), environ...)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return file, nil
}

// built is the path of a program in the folder that binariesVariable names, or empty.
func built(name string) string {
	folder := os.Getenv(binariesVariable)
	if folder == "" {
		return ""
	}
	file := filepath.Join(folder, name)
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return file
}
