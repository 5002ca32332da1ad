package main

import (
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

const honest = `
resource "terraform_data" "honest" {}
`

const evil = `
resource "terraform_data" "evil" {
  provisioner "local-exec" {
    command = "touch ../../../owned"
  }
}
`

// Whoever may write plan records can also store a record for a planfile of their own. The
// configuration in the planfile must be the merged one.
func TestForgedPlansAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		forge  func(t *testing.T, w *forgery, r planstore.Record) (planstore.Record, string)
		refuse string
	}{
		"a planfile of other configuration, with a record that vouches for it": {
			func(t *testing.T, w *forgery, r planstore.Record) (planstore.Record, string) {
				return r, w.planfile(t, evil)
			}, "differs from the planned one (main.tf (changed))",
		},
		"a record of another configuration": {
			func(t *testing.T, w *forgery, r planstore.Record) (planstore.Record, string) {
				r.ConfigurationDigest = strings.Repeat("0", 64)
				r.Files = maps.Clone(r.Files)
				r.Files["components/component/main.tf"] = "0000000000000000"
				return r, w.planfile(t, honest)
			}, "differs from the planned one (changed: components/component/main.tf)",
		},
		"a planfile that is none": {
			func(t *testing.T, w *forgery, r planstore.Record) (planstore.Record, string) {
				path := filepath.Join(t.TempDir(), "planfile")
				if err := os.WriteFile(path, []byte("PK\x03\x04 not a zip"), 0o600); err != nil {
					t.Fatal(err)
				}
				return r, path
			}, "planfile",
		},
		"a plan of OpenTofu": {
			func(t *testing.T, w *forgery, r planstore.Record) (planstore.Record, string) {
				r.TerraformName = "tofu"
				return r, w.planfile(t, honest)
			}, "refused: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newForgery(t)
			stored, err := w.store.Find(t.Context(), w.key(), w.SHA)
			if err != nil {
				t.Fatal(err)
			}
			record, planfile := test.forge(t, w, stored.Record)
			record.CreatedAt, record.Run.Attempt = record.CreatedAt.Add(time.Second), 2
			record.Digest, record.Size, record.ObjectKey, record.ObjectVersion = "", 0, "", ""
			if record, err = w.store.Put(t.Context(), record, planfile); err != nil {
				t.Fatal(err)
			}
			if err := w.apply(t); err == nil || !strings.Contains(err.Error(), test.refuse) {
				t.Errorf("error %v, want %q", err, test.refuse)
			}
			if left, _ := filepath.Glob(filepath.Join(w.Dir, "owned")); left != nil {
				t.Error("the forged plan was applied")
			}
			now, err := w.store.Find(t.Context(), w.key(), w.SHA)
			if err != nil || now.Record.ID() != record.ID() || now.Status != planstore.StatusPlanned {
				t.Errorf("the plan is %s, error %v: want it unclaimed", now.Status, err)
			}
		})
	}
}

type forgery struct {
	*fakerunner.Runner
	store  *planstore.Store
	inputs map[string]string // of the apply action; nil: those that name the component
}

// newForgery returns a repository with a stored, honest plan of its component.
func newForgery(t *testing.T) *forgery {
	runner, err := fakerunner.OneComponent(t.Context(), t.TempDir(), honest)
	if err != nil {
		t.Fatal(err)
	}
	if _, log, _, err := runner.Exec(t.Context(), suite.Built["plan"], fakerunner.ComponentInputs(), 0); err != nil {
		t.Fatalf("plan: %v\n%s", err, log)
	}
	backend, err := folder.Open(filepath.Join(runner.Dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	store := planstore.New(backend, time.Now)
	return &forgery{Runner: runner, store: store}
}

func (w *forgery) key() planstore.Target {
	return planstore.Target{Repository: w.Repository, Component: "component", Stack: "stack"}
}

// planfile returns the path of a planfile of another module, made on the same backend.
func (w *forgery) planfile(t *testing.T, module string) string {
	dir := filepath.Join(t.TempDir(), "components", "component") // as deep as in the workspace, and with a state of its own
	backend := "terraform {\n  backend \"local\" { path = \"../../../state/terraform.tfstate\" }\n}\n"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(backend+module), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-input=false"}, {"plan", "-input=false", "-out=planfile"}} {
		cmd := exec.CommandContext(t.Context(), "terraform", args...)
		cmd.Dir, cmd.Env = dir, w.Environ
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
		}
	}
	return filepath.Join(dir, "planfile")
}

// apply runs the action in this process.
func (w *forgery) apply(t *testing.T) error {
	step, err := w.Step(fakerunner.ComponentInputs())
	if err != nil {
		t.Fatal(err)
	}
	runtime := gha.New(step.Environ, io.Discard)
	in, err := ReadInputs(runtime)
	if err != nil {
		t.Fatal(err)
	}
	result, err := Run(t.Context(), in, action.Deps{Runtime: runtime, Environ: step.Environ, Now: time.Now})
	if result.Outputs["status"] != "failed" || !strings.Contains(result.Summary, "`component`") {
		t.Errorf("status %s and summary:\n%s", result.Outputs["status"], result.Summary)
	}
	return err
}
