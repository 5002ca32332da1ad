package inventory

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// StateKey is the same for two targets only if their state is the same. A
// credential may choose the place of a state, so what gives one counts.
// OpenTofu's backends may read variables; Terraform's may not.
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
	fmt.Fprintf(&key, "%q %q %q %q %q %q %q", t.Dir, t.WorkspaceName(), effectiveBackend(t.BackendConfig), env, t.Settings.PlanRole, t.Settings.ApplyRole, varFiles)
	return key.String()
}

// effectiveBackend are the settings of -backend-config that have a say, sorted: of two that set the
// same thing, Terraform takes the later. What a file sets is not known here, so with one all
// count as they are.
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

// WorkspaceName is the name of the workspace, where the default one has two.
func (t Target) WorkspaceName() string {
	if t.Workspace == "" {
		return "default"
	}
	return t.Workspace
}
