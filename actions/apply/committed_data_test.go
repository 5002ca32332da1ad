package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// A commit contains Terraform's data folder, under the name that the actions use for it. Terraform
// would run the modules in there, whatever the configuration names.
func TestCommittedDataFoldersAreRefused(t *testing.T) {
	t.Parallel()
	name := sha256.Sum256([]byte("component\x00stack"))
	data := ".terraform/gitops-" + hex.EncodeToString(name[:4])
	const source = "git::https://git.invalid/terraform-aws-modules/vpc.git?ref=v5.8.1"
	for what, files := range map[string]map[string]string{
		"modules": {
			data + "/modules/modules.json": `{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"vpc","Source":"` + source + `","Dir":"` + data + `/modules/vpc"}]}`,
			data + "/modules/vpc/main.tf":  evil,
			"vpc.tf":                       "module \"vpc\" {\n  source = \"" + source + "\"\n}\n",
		},
		"a backend":          {".terraform/terraform.tfstate": "{}"},
		"a folder deeper":    {"modules/vpc/.terraform/modules/modules.json": "{}"},
		"program's settings": {".terraformrc": ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := forgeryOf(t, honest, nil)
			committed := map[string]string{}
			for file, content := range files {
				file = "components/component/" + file
				if err := os.MkdirAll(filepath.Dir(filepath.Join(w.Workspace(), filepath.FromSlash(file))), 0o755); err != nil {
					t.Fatal(err)
				}
				committed[file] = content
			}
			w.commit(t, committed)
			_, log, _, err := w.Exec(t.Context(), suite.Built["plan"], fakerunner.ComponentInputs(), 0)
			if err == nil || !strings.Contains(log, "GITOPS-ROOT-MODULE") || !strings.Contains(log, "data folder") {
				t.Errorf("plan: error %v\n%s", err, log)
			}
			if _, err := w.run(t, nil); err == nil || !strings.Contains(err.Error(), "data folder") {
				t.Errorf("apply: error %v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(w.Dir, "owned")); left != nil {
				t.Error("the committed module was applied")
			}
		})
	}
	// Other files with similar names may be committed.
	w := forgeryOf(t, honest, map[string]string{"components/component/.terraform-version": "1.11.4\n", "components/component/.terraformignore": "x\n"})
	if _, err := w.run(t, nil); err != nil {
		t.Errorf("other files: error %v", err)
	}
}
