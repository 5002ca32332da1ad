package workspace

import (
	"os"
	"path/filepath"
	"strings"
)

// StateInCheckout is the file of the target's state, relative to the checkout's root and
// slash-separated, where the backend that Init has set up keeps it in there. The runner
// removes it, as a rule: actions/checkout cleans the workspace. It is empty for a state
// that is kept anywhere else.
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

// resolved is a path with its links followed, as far as it is there.
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
