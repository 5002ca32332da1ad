package target

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxResolved limits the work that many components times many stacks make: how
// many targets, list items and variables there are when all are resolved.
// 10,000 targets with twenty each need a fifth of it.
const maxResolved = 1_000_000

// checkStates refuses two targets that would have one state: the same root
// module folder, workspace, backend configuration, environment and roles.
// Planning one of them would propose to turn the other's infrastructure into
// its own. It happens easily, by a stack that is given var files and nothing
// that keeps its state apart.
func (c *Config) checkStates() error {
	total := 0
	for _, name := range c.componentNames() {
		comp := c.doc.Components[name]
		for _, stackName := range c.stacksOf(comp) {
			total += 1 + len(comp.DependsOn)
			for _, l := range []layer{c.doc.layer, c.doc.Stacks[stackName].layer, comp.layer} {
				total += len(l.VarFiles) + len(l.BackendConfig) + len(l.Env)
			}
			if total > maxResolved {
				return c.fault(comp.At, nil, "components times stacks make more than %d targets, list items and variables", maxResolved)
			}
		}
	}
	owners := make(map[string]Target)
	c.given, c.targets = make(map[string]bool), make(map[string]int)
	for _, componentName := range c.componentNames() {
		comp := c.doc.Components[componentName]
		for _, stackName := range c.stacksOf(comp) {
			t, err := resolver{Config: c, componentName: componentName, comp: comp, stackName: stackName, st: c.doc.Stacks[stackName]}.target()
			if err != nil {
				return err
			}
			c.targets[t.Dir]++
			for _, name := range t.files() {
				c.given[name] = true
			}
			key := t.stateKey()
			if other, taken := owners[key]; taken {
				return c.fault(comp.At, nil, "%s and %s would share one state: both are %s with the same workspace and backend-config: set a `workspace` or `backend-config` that differs, for example with {stack}",
					shorten(other.String()), shorten(t.String()), quote(t.Dir))
			}
			owners[key] = t
		}
	}
	return nil
}

// stateKey is the same for two targets only if their state is the same. A
// credential may choose the place of a state, so what gives one counts.
// OpenTofu's backends may read variables; Terraform's may not.
func (t Target) stateKey() string {
	varFiles := t.VarFiles
	if t.Settings.OpenTofuVersion == "" {
		varFiles = nil
	}
	var env []string
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		env = append(env, name, t.Env[name])
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%q %q %q %q %q %q %q", t.Dir, t.workspace(), effective(t.BackendConfig), env, t.Settings.PlanRole, t.Settings.ApplyRole, varFiles)
	return key.String()
}

// effective are the settings of -backend-config that have a say, sorted: of two that set the
// same thing, Terraform takes the later. What a file sets is not known here, so with one all
// count as they are.
func effective(backendConfig []string) []string {
	if slices.ContainsFunc(backendConfig, isBackendFile) {
		return backendConfig
	}
	last := make(map[string]string, len(backendConfig))
	for _, setting := range backendConfig {
		key, _, _ := strings.Cut(setting, "=")
		last[strings.TrimSpace(key)] = setting
	}
	return slices.Sorted(maps.Values(last))
}

// workspace is the name of the workspace, where the default one has two.
func (t Target) workspace() string {
	if t.Workspace == "" {
		return "default"
	}
	return t.Workspace
}
