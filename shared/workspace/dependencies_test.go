package workspace_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/workspace"
	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// A target of Atmos names a dependency by another stack's variables: only the list of all
// stacks tells which target that is.
func TestADependencyInAnotherStackIsFound(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	const members = `"component": "c", "workspace": "w", "command": "terraform", "metadata": {}, "env": {}, "backend": {}, "backend_type": "local", "providers": {}, `
	for name, content := range map[string]string{
		"atmos.yaml": "",
		"component.json": `{"component_info": {"component_path": "` + dir + `", "component_type": "terraform"}, ` + members + `"vars": {"stage": "dev"},
			"settings": {"github": {"actions_enabled": true}, "depends_on": {"1": {"component": "dns", "stage": "prod"}}}}`,
		"stacks.json": `{
			"dev": {"components": {"terraform": {"app": {` + members + `"vars": {"stage": "dev"}, "settings": {"github": {"actions_enabled": true}, "depends_on": {"1": {"component": "dns", "stage": "prod"}}}}}}},
			"prod": {"components": {"terraform": {"dns": {` + members + `"vars": {"stage": "prod"}, "settings": {"github": {"actions_enabled": true}}}}}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	atmos := "#!/bin/sh\n[ $1 = version ] && echo '{\"version\": \"1.227.0\"}'\ncase $2 in component) cat component.json;; stacks) cat stacks.json;; esac\n"
	if err := executable.Write(filepath.Join(bin, "atmos"), atmos); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	w, err := workspace.Open(t.Context(), open(t, dir, t.TempDir(), repository.Inputs{}, &bytes.Buffer{}), inventory.Name{Component: "app", Stack: "dev"}, repository.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	if on := w.Target.DependsOn; len(on) != 1 || on[0] != (inventory.Name{Component: "dns", Stack: "prod"}) {
		t.Errorf("depends on %v", on)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
