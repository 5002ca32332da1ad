// Command terraform provides a Terraform for the tests. It uses the one on PATH, or downloads one into
// the given folder, and links TOOLS/path/terraform to it. The Makefile puts that folder first on
// PATH.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/test/locate"
)

// oldest is the first version with everything that the tests use, such as the mocks of `terraform test`.
const oldest = "1.9"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: terraform TOOLS")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "make needs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, tools string) error {
	tools, err := filepath.Abs(tools)
	if err != nil {
		return err
	}
	link := filepath.Join(tools, "path", "terraform")
	found, err := locate.Terraform(ctx, locate.Options{
		AtLeast: oldest, Tools: tools, Environ: without(os.Environ(), filepath.Dir(link)),
		Say: func(line string) { fmt.Fprintln(os.Stderr, "make needs:", line) },
	})
	if err != nil {
		return err
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !strings.HasPrefix(found.Path, tools+string(filepath.Separator)) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	return os.Symlink(found.Path, link)
}

// without returns an environment whose PATH lacks a folder.
func without(environ []string, folder string) []string {
	environ = slices.Clone(environ)
	for i, variable := range environ {
		if path, ok := strings.CutPrefix(variable, "PATH="); ok {
			folders := slices.DeleteFunc(filepath.SplitList(path), func(f string) bool { return filepath.Clean(f) == folder })
			environ[i] = "PATH=" + strings.Join(folders, string(filepath.ListSeparator))
		}
	}
	return environ
}
