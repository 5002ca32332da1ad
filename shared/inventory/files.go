package inventory

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/checkout"
)

// Files are those that the target names itself: var files, and files of backend-config.
func (t Target) Files() []string {
	names := slices.Clone(t.VarFiles)
	for _, value := range t.BackendConfig {
		if IsBackendFile(value) {
			names = append(names, value)
		}
	}
	return names
}

// IsBackendFile tells whether Terraform takes a value of -backend-config for a file.
func IsBackendFile(value string) bool { return !strings.Contains(value, "=") }

// Ignores reports whether a pattern of `ignore` matches a path that is relative to the
// checkout. root is the root module's folder. A pattern without a slash matches a name in
// any folder. Others are relative to the checkout or to the root module's folder, and those
// that begin with a slash to the checkout alone.
func (t Target) Ignores(root, name string) bool {
	for _, pattern := range t.Ignore {
		at := strings.TrimPrefix(strings.TrimSuffix(pattern, "/"), "/")
		names := []string{name}
		switch {
		case !strings.Contains(pattern, "/"):
			names = append(names, strings.Split(name, "/")...)
		case !strings.HasPrefix(pattern, "/") && root != "." && checkout.IsIn(name, root):
			names = append(names, checkout.RelativeTo(root, name))
		}
		for _, one := range names {
			if ok, _ := doublestar.Match(at, one); ok {
				return true
			}
			if ok, _ := doublestar.Match(at+"/**", one); ok { // a folder
				return true
			}
		}
	}
	return false
}
