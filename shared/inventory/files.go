package inventory

import (
	"slices"
	"strings"
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
// checkout. root is the root module's folder.
func (t Target) Ignores(root, name string) bool {
	return slices.ContainsFunc(t.Ignore, func(pattern string) bool { return MatchesFile(pattern, root, name) })
}
