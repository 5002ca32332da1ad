package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
)

// resolve asks Atmos to call the target's YAML functions, with Terraform's environment:
// some of them run Terraform or read AWS.
func (w *Workspace) resolve(ctx context.Context, env []string) (err error) {
	access, remove, err := w.Inputs.Git.Give(w.Dir, env) // for the init of other components
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	env = append(slices.Concat(env, access), "TF_DATA_DIR="+w.dataDir())
	if w.Inputs.Identity != "" {
		env = append(env, "ATMOS_IDENTITY="+w.Inputs.Identity)
	}
	if err := w.repository.ResolveAtmos(ctx, &w.Target, env); err != nil {
		return err
	}
	w.runtime.Redact(w.secrets()...)
	return nil
}

// variables returns the values that Atmos passes to Terraform's variables in a file or in the
// environment. All have the form of environment variables (TF_VAR_name=value).
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
		if atmos.IsFunction(value) { // resolve has not called it yet
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
