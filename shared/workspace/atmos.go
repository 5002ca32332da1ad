package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
)

// resolve has Atmos call the functions of the target, in the environment of its
// Terraform.
func (w *Workspace) resolve(ctx context.Context, env []string) error {
	env = append(slices.Clone(env), "TF_DATA_DIR="+w.dataDir())
	if w.Inputs.Identity != "" {
		env = append(env, "ATMOS_IDENTITY="+w.Inputs.Identity)
	}
	if err := w.repository.ResolveAtmos(ctx, &w.Target, env); err != nil {
		return err
	}
	w.runtime.Redact(secrets(slices.Concat(w.environ, variables(w.Target)), w.inRoot(w.Target.Dir))...)
	return nil
}

// variables are the values that Atmos gives to Terraform's variables, in a file and in
// the environment, in the form of the latter.
func variables(t inventory.Target) (environ []string) {
	if t.Atmos == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(t.Atmos.Vars)) {
		value := string(t.Atmos.Vars[name])
		var text string
		if json.Unmarshal(t.Atmos.Vars[name], &text) == nil {
			value = text
		}
		if atmos.IsFunction(value) { // it is not called yet
			continue
		}
		environ = append(environ, "TF_VAR_"+name+"="+value)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Atmos.Env)) {
		if text, ok := t.Atmos.Env[name].(string); ok && atmos.IsFunction(text) {
			continue
		}
		environ = append(environ, fmt.Sprintf("%s=%v", name, t.Atmos.Env[name]))
	}
	return environ
}
