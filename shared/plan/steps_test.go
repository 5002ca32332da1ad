package plan_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/modules"
	"github.com/terraform-gitops/gitops/shared/workspace"
)

var errStep = errors.New("this step fails")

// faulty is the real Terraform and the real store, except that one step fails.
type faulty struct {
	plan.Terraform
	storage.Backend
	fail   string
	cancel context.CancelFunc // called before the plan; nil: nobody cancels
}

func (f *faulty) step(name string) error {
	if f.fail == name {
		return errStep
	}
	return nil
}

func (f *faulty) Init(ctx context.Context, lock []byte) error {
	return errors.Join(f.Terraform.Init(ctx, lock), f.step("Init"))
}

func (f *faulty) ModuleFiles(planned bool) (modules.Files, error) {
	files, err := f.Terraform.ModuleFiles(planned)
	return files, errors.Join(err, f.step("ModuleFiles"))
}

func (f *faulty) Plan(ctx context.Context, o terraform.PlanOptions) (terraform.PlanResult, error) {
	if f.cancel != nil {
		f.cancel()
	}
	result, err := f.Terraform.Plan(ctx, o)
	if f.fail == "Plan" && err == nil {
		err = &terraform.CommandError{Command: "terraform plan", ExitCode: 1, Err: errStep}
	}
	return result, err
}

func (f *faulty) ShowJSON(ctx context.Context, planfile string, read func(io.Reader) error) error {
	return errors.Join(f.Terraform.ShowJSON(ctx, planfile, read), f.step("ShowJSON"))
}

func (f *faulty) StateInCheckout() (string, error) {
	file, err := f.Terraform.StateInCheckout()
	return file, errors.Join(err, f.step("StateInCheckout"))
}

func (f *faulty) PutObject(ctx context.Context, key string, file *os.File, content storage.Content) (string, error) {
	if err := f.step("PutObject"); err != nil {
		return "", err
	}
	return f.Backend.PutObject(ctx, key, file, content)
}

func (f *faulty) Put(ctx context.Context, item storage.Item, condition storage.Condition) error {
	if err := f.step("Put"); err != nil {
		return err
	}
	return f.Backend.Put(ctx, item, condition)
}

// A plan is stored completely or not at all. Only an error in the configuration is recorded.
func TestEachStepOfAPlanMayFail(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]struct {
		decision plan.Decision
		recorded planstore.Status // empty: there is no record
	}{
		"none":            {plan.Changed, planstore.StatusPlanned},
		"Init":            {plan.NotPlanned, ""},
		"ModuleFiles":     {plan.NotPlanned, ""},
		"Plan":            {plan.Failed, planstore.StatusFailed},
		"ShowJSON":        {plan.NotPlanned, ""},
		"StateInCheckout": {plan.NotPlanned, ""},
		"PutObject":       {plan.NotPlanned, ""},
		"Put":             {plan.NotPlanned, ""},
		"a cancel":        {plan.NotPlanned, ""},
	} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			backend, err := folder.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			f := &faulty{Backend: backend, fail: step}
			if step == "a cancel" {
				f.cancel = cancel
			}
			temp := t.TempDir()
			o, commit := planOnce(ctx, t, temp, f)
			failed := want.decision == plan.NotPlanned || want.decision == plan.Failed
			if o.Decision != want.decision || (o.Err != nil) != failed || o.Stored != (want.recorded != "") {
				t.Errorf("%s, stored %v: %v", o.Decision, o.Stored, o.Err)
			}
			found, err := planstore.New(backend, time.Now).Find(t.Context(), planstore.Target{Repository: "acme/infra", Component: "network", Stack: "dev"}, commit)
			switch {
			case want.recorded == "":
				if !errors.Is(err, planstore.ErrNotFound) {
					t.Errorf("the store has %s, %v", found.Status, err)
				}
			case err != nil || found.Status != want.recorded:
				t.Errorf("the store says %s, %v", found.Status, err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func planOnce(ctx context.Context, t *testing.T, temp string, f *faulty) (o plan.Outcome, commit string) {
	t.Helper()
	root := gittest.Repository(t, map[string]string{
		"gitops.yaml":       "components:\n  network:\n    path: component\nstacks:\n  dev: {}\n",
		"component/main.tf": "terraform {\n  backend \"local\" {\n    path = \"" + filepath.Join(t.TempDir(), "s.tfstate") + "\"\n  }\n}\nresource \"terraform_data\" \"one\" {}\n",
	})
	environ := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GITHUB_WORKSPACE=" + root, "RUNNER_TEMP=" + temp,
		"GITHUB_REPOSITORY=acme/infra", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=1", "GITHUB_ACTOR=mona",
	}
	runtime := gha.New(environ, &bytes.Buffer{})
	rp, err := repository.Open(t.Context(), runtime, environ, repository.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	checkout, err := rp.Checkout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	network := inventory.Name{Component: "network", Stack: "dev"}
	return plan.Run(ctx, network, plan.Options{
		Repository: rp, Commit: checkout.Commit, Checkout: checkout, Retention: time.Hour,
		Store: func(context.Context, inventory.Effective) (*planstore.Store, error) {
			return planstore.New(f, time.Now), nil
		},
		Terraform: func(ctx context.Context, w *workspace.Workspace) (plan.Terraform, error) {
			tf, err := w.Terraform(ctx, "", inventory.Clouds{}, time.Now)
			f.Terraform = tf
			return f, err
		},
		Positions: plan.NewPositions([]inventory.Name{network}), Runtime: runtime, Environ: environ, Now: time.Now,
	}), checkout.Commit
}
