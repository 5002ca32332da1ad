package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Nothing in a planfile that OpenTofu has encrypted can be read, and anyone who may plan can write its
// record. So the action must never report it as verified.
func TestEncryptedPlanfiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		verification string
		forge        bool
		code         problem.Code // empty: it is applied
		says         string
	}{
		"strict":                         {verification: "strict", code: problem.EncryptedPlan, says: "verification: replan"},
		"replan":                         {verification: "replan", says: "Planned again"},
		"none":                           {verification: "none", says: "The planfile is encrypted"},
		"strict, of other configuration": {verification: "strict", forge: true, code: problem.EncryptedPlan, says: "verification: replan"},
		"replan, of other configuration": {verification: "replan", forge: true, code: problem.ForgedPlan, says: "2 create"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := encryptedForgery(t)
			if test.forge {
				w.forge(t, w.find(t).Record, w.encrypted(t, evil))
			}
			result, err := w.run(t, map[string]string{"verification": test.verification})
			if problem.CodeOf(err) != test.code || err == nil != (test.code == "") {
				t.Errorf("error %v, want code %q", err, test.code)
			}
			if !strings.Contains(result.Summary, test.says) || test.code != "" && strings.Contains(result.Summary, "**Verified:**") {
				t.Errorf("summary, without %q:\n%s", test.says, result.Summary)
			}
			if left, _ := filepath.Glob(filepath.Join(w.Dir, "owned")); left != nil {
				t.Error("the forged plan was applied")
			}
		})
	}
	t.Run("one that is said to have no changes", func(t *testing.T) {
		t.Parallel()
		w := encryptedForgery(t)
		record := w.find(t).Record
		record.Outcome, record.Counts = planstore.OutcomeNoChanges, changes.Counts{}
		w.forge(t, record, w.encrypted(t, ""))
		for verification, code := range map[string]problem.Code{"strict": problem.EncryptedPlan, "replan": problem.ForgedPlan} {
			if _, err := w.run(t, map[string]string{"verification": verification}); problem.CodeOf(err) != code {
				t.Errorf("verification %s: error %v, want one of %s", verification, err, code)
			}
		}
	})
}

// encryptedForgery is a repository whose component is planned by a program that encrypts its
// planfiles.
func encryptedForgery(t *testing.T) *forgery {
	t.Helper()
	return forgeryOf(t, honest, map[string]string{
		"gitops.yaml": "artifact-storage: { url: ../store }\nopentofu-version: \">= 1.0\"\ncomponents: { component: {} }\nstacks: { stack: {} }\n",
	}, "PATH="+encrypting(t)+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// encrypting is the folder with a tofu that encrypts its planfiles.
func encrypting(t *testing.T) string {
	t.Helper()
	bin, err := filepath.Abs(filepath.Join("testdata", "encrypted"))
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// encrypted returns the path of an encrypted planfile of the component with more Terraform code.
func (w *forgery) encrypted(t *testing.T, more string) string {
	t.Helper()
	copied := w.Workspace() + "-other"
	if err := os.CopyFS(copied, os.DirFS(w.Workspace())); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(copied, "components", "component")
	if err := os.WriteFile(filepath.Join(dir, "more.tf"), []byte(more), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-input=false"}, {"plan", "-input=false", "-out=planfile"}} {
		w.tool(t, dir, filepath.Join(encrypting(t), "tofu"), slices.Clone(w.Environ), args...)
	}
	return filepath.Join(dir, "planfile")
}
