package atmos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// writesNothing are the members of a description for which Atmos writes nothing into the
// root module's folder. Any other one that says something keeps other targets out:
// providers, generate, source, provision, hooks, auth, and what a newer version brings.
// https://atmos.tools/components/terraform/backends
// https://atmos.tools/components/terraform/providers
var writesNothing = []string{
	"atmos_cli_config", "atmos_component", "atmos_manifest", "atmos_stack", "atmos_stack_file", "backend", "backend_type", "cli_args",
	"command", "component", "component_info", "component_type", "dependencies", "deps", "deps_all", "env", "env_tf_cli_args", "env_tf_cli_vars",
	"imports", "inheritance", "locals", "metadata", "overrides", "remote_state_backend", "remote_state_backend_type", "settings", "sources",
	"stack", "tf_cli_vars", "vars", "workspace",
}

// runsNothing are the functions for which Atmos runs no program in a component's folder.
var runsNothing = []string{"!env", "!store", "!store.get", "!terraform.state"}

// sharing is that of a component as it is described.
func (d description) sharing(name inventory.Name) (s inventory.Sharing) {
	for member, value := range d.given {
		if !slices.Contains(writesNothing, member) && !slices.Contains([]string{"{}", "[]", `""`, "null"}, string(value)) {
			return s
		}
	}
	generates := d.Config.Components.Terraform.AutoGenerateBackendFile
	// In the file of "cloud" Atmos puts the workspace.
	if d.asText || generates == nil || d.BackendType == "" || d.BackendType == "cloud" {
		return s
	}
	functions, _ := dynamic(d.sections())
	for _, f := range functions {
		function, _, _ := strings.Cut(f.text, " ")
		if !slices.Contains(runsNothing, function) || strings.HasPrefix(f.at, "backend") {
			return s
		}
	}
	if *generates {
		s.Backend = canonical(map[string]any{"terraform": map[string]any{"backend": map[string]any{d.BackendType: d.Backend}}})
	}
	key := sha256.Sum256([]byte(s.Backend))
	s.Key = hex.EncodeToString(key[:])
	// The name is of the stack, and of the last part of the component's: a/x and b/x share it.
	s.VarFile = strings.ReplaceAll(name.Stack, "/", "-") + "-" + path.Base(name.Component)
	return s
}

// GenerateBackend has Atmos write the backend's file of a target that shares its folder, as
// it does before it runs Terraform. It tells whether the file is what was expected of it.
func (a Project) GenerateBackend(ctx context.Context, t inventory.Target) bool {
	if _, _, err := a.run(ctx, "terraform", "generate", "backend", t.Component, "-s", t.Stack, "--process-functions=false"); err != nil {
		return false
	}
	content, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(t.Dir), "backend.tf.json"))
	return err == nil && json.Valid(content) && canonical(json.RawMessage(content)) == t.Atmos.Sharing.Backend
}
