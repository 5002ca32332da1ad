package apply_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/modules"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/terraform-gitops/gitops/shared/workspace"
)

var errStep = errors.New("this step fails")

// steps fails one of the steps of an apply. The other steps are those of the real store and the real
// Terraform.
type steps struct {
	apply.Store
	apply.Terraform
	fail   string             // the method that fails
	cancel context.CancelFunc // called as Apply begins; nil: nobody cancels
	state  string             // an errored state that Apply leaves; empty: none
	locked bool               // the state's lock can't be taken
}

func (s *steps) step(name string) error {
	if s.fail == name {
		return errStep
	}
	return nil
}

func (s *steps) Fetch(ctx context.Context, r planstore.Record, path string) (time.Time, error) {
	storedAt, err := s.Store.Fetch(ctx, r, path)
	return storedAt, errors.Join(s.step("Fetch"), err)
}

func (s *steps) Claim(ctx context.Context, r planstore.Record, run planstore.Run, actor string, audit planstore.Audit) error {
	if err := s.step("Claim"); err != nil {
		return err
	}
	err := s.Store.Claim(ctx, r, run, actor, audit)
	if s.fail == "Claim's answer" {
		return errors.Join(err, errStep)
	}
	return err
}

func (s *steps) Finish(ctx context.Context, r planstore.Record, run planstore.Run, result planstore.Result) error {
	if err := s.step("Finish"); err != nil {
		return err
	}
	return s.Store.Finish(ctx, r, run, result)
}

func (s *steps) Release(ctx context.Context, r planstore.Record, run planstore.Run, reason string) error {
	if err := s.step("Release"); err != nil {
		return err
	}
	return s.Store.Release(ctx, r, run, reason)
}

func (s *steps) PutErroredState(ctx context.Context, r planstore.Record, run planstore.Run, path string) (string, error) {
	if err := s.step("PutErroredState"); err != nil {
		return "", err
	}
	return s.Store.PutErroredState(ctx, r, run, path)
}

func (s *steps) Init(ctx context.Context, lock []byte) error {
	if err := s.step("Init"); err != nil {
		return err
	}
	return s.Terraform.Init(ctx, lock)
}

func (s *steps) Version(ctx context.Context) (terraform.Version, error) {
	v, err := s.Terraform.Version(ctx)
	return v, errors.Join(s.step("Version"), err)
}

func (s *steps) ModuleFiles(planned bool) (modules.Files, error) {
	f, err := s.Terraform.ModuleFiles(planned)
	return f, errors.Join(s.step("ModuleFiles"), err)
}

func (s *steps) CompareConfig(inside *planfile.File, made string) ([]string, error) {
	different, err := s.Terraform.CompareConfig(inside, made)
	return different, errors.Join(s.step("CompareConfig"), err)
}

func (s *steps) StatePosition(ctx context.Context) (string, uint64, error) {
	lineage, serial, err := s.Terraform.StatePosition(ctx)
	return lineage, serial, errors.Join(s.step("StatePosition"), err)
}

func (s *steps) Apply(ctx context.Context, path, made string, inside *planfile.File) (result terraform.ApplyResult, err error) {
	if s.locked {
		_ = s.step("Apply")
		return result, errors.Join(errStep, terraform.ErrStateLocked)
	}
	if s.cancel != nil {
		s.cancel()
	}
	if err := s.step("Apply"); err == nil || s.state != "" {
		if result, err := s.Terraform.Apply(ctx, path, made, inside); err != nil {
			return result, err
		}
	}
	if s.state != "" {
		if err := os.WriteFile(s.state, []byte(`{"version":4,"serial":1,"lineage":""}`), 0o600); err != nil {
			return result, err
		}
		result.ErroredState = s.state
		err = &terraform.CommandError{Command: "terraform apply", ExitCode: 1, Err: errStep}
	} else if s.fail == "Apply" {
		err = errStep
	}
	return result, err
}

// A claim tells the truth whatever step fails. Before the claim, the plan can still be applied. After
// it, the plan is applied or failed, or the error says that the claim still names this run.
func TestEachStepOfAnApplyMayFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faulty   steps
		errored  bool // Apply leaves a state that it could not write
		cancel   bool
		decision apply.Decision
		code     problem.Code
		status   planstore.Status
		applied  bool // Terraform has made the resource
		says     string
	}{
		"none":          {decision: apply.Succeeded, status: planstore.StatusApplied, applied: true},
		"fetch":         {faulty: steps{fail: "Fetch"}, decision: apply.Failed, status: planstore.StatusPlanned},
		"version":       {faulty: steps{fail: "Version"}, decision: apply.Failed, status: planstore.StatusPlanned},
		"init":          {faulty: steps{fail: "Init"}, decision: apply.Failed, status: planstore.StatusPlanned},
		"modules":       {faulty: steps{fail: "ModuleFiles"}, decision: apply.Failed, status: planstore.StatusPlanned},
		"configuration": {faulty: steps{fail: "CompareConfig"}, decision: apply.Failed, status: planstore.StatusPlanned},
		"claim":         {faulty: steps{fail: "Claim"}, decision: apply.Failed, status: planstore.StatusPlanned},
		// Nobody knows whether the claim was stored. So nothing is applied, to be safe.
		"the answer to the claim":     {faulty: steps{fail: "Claim's answer"}, decision: apply.Failed, status: planstore.StatusApplying},
		"apply":                       {faulty: steps{fail: "Apply"}, decision: apply.Failed, status: planstore.StatusFailed},
		"apply, and finish":           {faulty: steps{fail: "Finish"}, decision: apply.Failed, status: planstore.StatusApplying, applied: true, says: "its claim still says that this run is applying the plan"},
		"the state's lock":            {faulty: steps{locked: true}, decision: apply.Refused, code: problem.Terraform, status: planstore.StatusPlanned},
		"the state's lock, release":   {faulty: steps{locked: true, fail: "Release"}, decision: apply.Failed, status: planstore.StatusApplying, says: "its claim still says that this run is applying the plan"},
		"the state":                   {errored: true, decision: apply.Failed, code: problem.ErroredState, status: planstore.StatusFailed, applied: true},
		"the state, and its rescue":   {errored: true, faulty: steps{fail: "PutErroredState"}, decision: apply.Failed, code: problem.ErroredState, status: planstore.StatusFailed, applied: true, says: "save it before the runner is gone"},
		"what is read after an apply": {faulty: steps{fail: "StatePosition"}, decision: apply.Succeeded, status: planstore.StatusApplied, applied: true},
		"a cancel":                    {cancel: true, decision: apply.Failed, code: problem.Cancelled, status: planstore.StatusFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			faulty := &c.faulty
			if c.errored {
				faulty.state = filepath.Join(b.root, "component", "errored.tfstate")
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancel {
				faulty.cancel = cancel
			}
			o := b.apply(ctx, t, faulty)
			if o.Decision != c.decision || (o.Err == nil) != (c.decision == apply.Succeeded) || o.Applied != (c.status == planstore.StatusApplied) {
				t.Errorf("%s, applied %v: %v", o.Decision, o.Applied, o.Err)
			}
			if c.code != "" && problem.CodeOf(o.Err) != c.code {
				t.Errorf("code %q: %v", problem.CodeOf(o.Err), o.Err)
			}
			if c.says != "" && !strings.Contains(o.Err.Error(), c.says) {
				t.Errorf("%v", o.Err)
			}
			if stored, err := b.store.FindRecord(t.Context(), b.record.Target, b.record.ID()); err != nil || stored.Status != c.status {
				t.Errorf("the store says %s, %v", stored.Status, err)
			}
			if made := b.made(t); made != c.applied {
				t.Errorf("Terraform made it: %v", made)
			}
			rescued := c.errored && faulty.fail == ""
			if _, err := os.Stat(faulty.state); c.errored && errors.Is(err, os.ErrNotExist) != rescued || (o.RescuedState != nil) != rescued {
				t.Errorf("rescued %+v, and the state on the runner: %v", o.RescuedState, err)
			}
			if left, err := os.ReadDir(b.temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// bench is a repository with one target that has a stored plan.
type bench struct {
	root, temp, stateFile string
	runtime               *gha.Runtime
	repository            *repository.Repository
	store                 *planstore.Store
	record                planstore.Record
	log                   bytes.Buffer
	environ               []string
	storage               string
}

var network = inventory.Name{Component: "network", Stack: "dev"}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := openBench(t, nil, "")
	b.plan(t, 0)
	return b
}

// openBench is newBench without a plan, and with more files, and with GitHub.
func openBench(t *testing.T, files map[string]string, github string, environ ...string) *bench {
	t.Helper()
	b := &bench{temp: t.TempDir(), stateFile: filepath.Join(t.TempDir(), "network.tfstate"), storage: t.TempDir()}
	all := map[string]string{
		"gitops.yaml": "components:\n  network:\n    path: component\nstacks:\n  dev: {}\n",
		"component/main.tf": "terraform {\n  backend \"local\" {\n    path = \"" + b.stateFile + "\"\n  }\n}\n" +
			"resource \"terraform_data\" \"one\" {\n  input = 1\n}\n",
	}
	for name, content := range files {
		all[name] += content
	}
	b.root = gittest.Repository(t, all)
	b.environ = append(slices.Clone(environ), // the first of each name counts
		"PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "GITHUB_WORKSPACE="+b.root, "RUNNER_TEMP="+b.temp, "GITHUB_API_URL="+github,
		"GITHUB_REPOSITORY=acme/infra", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=1", "GITHUB_SERVER_URL=https://github.com", "GITHUB_ACTOR=mona",
	)
	b.runtime = gha.New(b.environ, &b.log)
	return b
}

func (b *bench) inputs() repository.Inputs {
	return repository.Inputs{Overrides: inventory.Overrides{StorageURL: b.storage}, Token: "token"}
}

// plan plans the target, for a pull request or 0.
func (b *bench) plan(t *testing.T, pullRequest int, environ ...string) planstore.Record {
	t.Helper()
	environ = append(slices.Clone(b.environ), environ...)
	in := b.inputs()
	var err error
	if b.repository, err = repository.Open(t.Context(), b.runtime, environ, in); err != nil {
		t.Fatal(err)
	}
	checkout, err := b.repository.Checkout(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := plan.Run(t.Context(), network, plan.Options{
		Repository: b.repository, Inputs: in, Commit: checkout.Commit, Checkout: checkout, Pull: plan.PullRequest{Number: pullRequest},
		Retention: time.Hour,
		Store: func(ctx context.Context, s inventory.Effective) (*planstore.Store, error) {
			return b.repository.StoreOf(ctx, s, "", time.Now)
		},
		Positions: plan.NewPositions([]inventory.Name{network}), Runtime: b.runtime, Environ: b.environ, Now: time.Now,
	})
	if o.Decision != plan.Changed || !o.Stored {
		t.Fatalf("%s: %v\n%s", o.Decision, o.Err, b.log.String())
	}
	b.store, b.record = o.Store, o.Record
	return o.Record
}

func (b *bench) apply(ctx context.Context, t *testing.T, faulty *steps, change ...func(*apply.Options)) apply.Outcome {
	t.Helper()
	in := repository.Inputs{}
	o := apply.Options{
		Repository: b.repository, Inputs: in, Pulls: pulls.New(b.repository.GitHub, "acme/infra"),
		Verification: apply.Strict, Runtime: b.runtime, Now: time.Now,
	}
	for _, c := range change {
		c(&o)
	}
	o.Terraform = func(ctx context.Context, j *workspace.Workspace) (apply.Terraform, error) {
		tf, err := j.Terraform(ctx, "", inventory.Clouds{}, time.Now)
		faulty.Terraform = tf
		return faulty, err
	}
	return apply.Run(ctx, network, o, func(ctx context.Context, w *apply.Work) error {
		stored, err := b.store.FindRecord(ctx, b.record.Target, b.record.ID())
		if err != nil {
			return err
		}
		faulty.Store = b.store
		w.Take(faulty, stored)
		return w.Apply(ctx)
	})
}

// made reports whether the state has the resource.
func (b *bench) made(t *testing.T) bool {
	t.Helper()
	f, err := os.Open(b.stateFile)
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	state, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(state, []byte(`"terraform_data"`))
}
