package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// StateKey is equal for two targets only if they have the same state. Roles and environment
// are part of it, since credentials may decide where a state is. So are var files with
// OpenTofu, whose backends may read variables.
func (t Target) StateKey() string {
	varFiles := t.VarFiles
	if t.Settings.OpenTofuVersion == "" {
		varFiles = nil
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		env = append(env, name, t.Env[name])
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%q %q %q %q %q %q %q %q", t.Dir, t.WorkspaceName(), effectiveBackend(t.BackendConfig), env, t.Settings.PlanRole, t.Settings.ApplyRole, []Clouds{t.Settings.PlanClouds, t.Settings.ApplyClouds}, varFiles)
	return key.String()
}

// effectiveBackend are the values of -backend-config that Terraform uses, sorted: the last
// one for each key. With a file among them all are returned as they are, since nobody knows
// here what it sets.
func effectiveBackend(backendConfig []string) []string {
	if slices.ContainsFunc(backendConfig, IsBackendFile) {
		return backendConfig
	}
	last := make(map[string]string, len(backendConfig))
	for _, setting := range backendConfig {
		key, _, _ := strings.Cut(setting, "=")
		last[strings.TrimSpace(key)] = setting
	}
	return slices.Sorted(maps.Values(last))
}

// WorkspaceName is the name of the workspace: Terraform calls the one without a name default.
func (t Target) WorkspaceName() string {
	if t.Workspace == "" {
		return "default"
	}
	return t.Workspace
}
