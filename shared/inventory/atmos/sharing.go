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

// writesNothing are the members for which Atmos writes nothing into the root module's folder.
// If a description has another member with a value, no other target shares the folder: with
// providers, generate, source, provision, hooks, auth, or whatever a newer version adds.
// https://atmos.tools/components/terraform/backends
// https://atmos.tools/components/terraform/providers
var writesNothing = []string{
	"atmos_cli_config", "atmos_component", "atmos_manifest", "atmos_stack", "atmos_stack_file", "backend", "backend_type", "cli_args",
	"command", "component", "component_info", "component_type", "dependencies", "deps", "deps_all", "env", "env_tf_cli_args", "env_tf_cli_vars",
	"imports", "inheritance", "locals", "metadata", "overrides", "remote_state_backend", "remote_state_backend_type", "settings", "sources",
	"stack", "tf_cli_vars", "vars", "workspace",
}

// runsNothing are the functions for which Atmos runs no program in any component's folder.
var runsNothing = []string{"!env", "!store", "!store.get", "!terraform.state"}

// sharing says with which targets a component may share its folder.
func (d description) sharing(name inventory.Name) (s inventory.Sharing) {
	for member, value := range d.given {
		if !slices.Contains(writesNothing, member) && !slices.Contains([]string{"{}", "[]", `""`, "null"}, string(value)) {
			return s
		}
	}
	generates := d.Config.Components.Terraform.AutoGenerateBackendFile
	// Atmos writes the workspace into the file of the backend "cloud".
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
	// The name has only the last part of the component's: a/x and b/x have the same.
	s.VarFile = strings.ReplaceAll(name.Stack, "/", "-") + "-" + path.Base(name.Component)
	return s
}

// GenerateBackend has Atmos write the backend file of a target that shares its folder, as it
// does before it runs Terraform. It reports whether the file has the expected content.
func (a Project) GenerateBackend(ctx context.Context, t inventory.Target) bool {
	if _, _, err := a.run(ctx, "terraform", "generate", "backend", t.Component, "-s", t.Stack, "--process-functions=false"); err != nil {
		return false
	}
	content, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(t.Dir), "backend.tf.json"))
	return err == nil && json.Valid(content) && canonical(json.RawMessage(content)) == t.Atmos.Sharing.Backend
}
