package workspace

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// StatePosition returns the lineage and serial of the state in the backend, after Init; empty and 0
// if there is none. Terraform is started only if the state is not in a file, or is encrypted.
func (t *Terraform) StatePosition(ctx context.Context) (lineage string, serial uint64, err error) {
	if lineage, serial = t.localPosition(); lineage != "" {
		return lineage, serial, nil
	}
	return t.CLI.StatePosition(ctx)
}

func (t *Terraform) localPosition() (lineage string, serial uint64) {
	file, err := t.LocalState()
	if err != nil || file == "" {
		return "", 0
	}
	f, err := os.Open(file)
	if err != nil {
		return "", 0
	}
	defer func() { _ = f.Close() }()
	if lineage, serial, err = planfile.ReadPosition(f); err != nil {
		return "", 0
	}
	return lineage, serial
}

// StateInCheckout returns the path of the target's state file if the backend that Init has set
// up keeps it in the checkout. It is relative to the checkout's root, with slashes. It is empty
// if the state is anywhere else. A state in the checkout gets lost: a runner is thrown away, or
// actions/checkout cleans the workspace.
func (t *Terraform) StateInCheckout() (string, error) {
	file, err := t.LocalState()
	if err != nil || file == "" {
		return "", err
	}
	root, err := filepath.EvalSymlinks(t.workspace.Target.Root)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(root, resolved(file))
	if err != nil || name == ".." || strings.HasPrefix(name, ".."+string(filepath.Separator)) {
		return "", nil //nolint:nilerr // on another volume: outside
	}
	return filepath.ToSlash(name), nil
}

// resolved resolves the symbolic links in the part of a path that exists.
func resolved(path string) string {
	path = filepath.Clean(path)
	rest := ""
	for dir := path; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			if real, err := filepath.EvalSymlinks(dir); err == nil {
				dir = real
			}
			return filepath.Join(dir, rest)
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}
