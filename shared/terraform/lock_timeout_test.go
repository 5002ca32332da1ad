package terraform_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// holdLock has somebody sit before the question of an apply, with the state's lock, until
// leave is called.
func holdLock(t *testing.T, c *terraform.CLI) (leave func()) {
	t.Helper()
	cmd := exec.Command(c.Path, "apply", "-no-color")
	cmd.Dir, cmd.Env = c.Dir, c.Env
	answer, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	leave = sync.OnceFunc(func() {
		_ = answer.Close()
		_ = cmd.Wait() // it was not approved
	})
	t.Cleanup(leave)
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(c.Dir, ".terraform.tfstate.lock.info")); err == nil {
			return leave
		}
		if time.Since(began) > 5*time.Minute {
			t.Fatal("the lock was not taken")
		}
	}
}

func TestPlanAndApplyWaitForTheLockOfTheState(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	first, _ := terraformtest.New(t, dir)
	terraformtest.Apply(t, first)
	terraformtest.WriteFiles(t, dir, map[string]string{"main.tf": `resource "terraform_data" "a" { input = "two" }`})
	planfile := terraformtest.Plan(t, first)
	// The apply comes last: after it there is nothing to approve, so that nobody holds a lock.
	for _, waiting := range []struct {
		name string
		run  func(c *terraform.CLI) error
	}{
		{"plan", func(c *terraform.CLI) error {
			_, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(t.TempDir(), "planfile")})
			return err
		}},
		{"apply", func(c *terraform.CLI) error { _, err := c.Apply(t.Context(), planfile); return err }},
	} {
		name, run := waiting.name, waiting.run
		c, log := terraformtest.New(t, dir)
		leave := holdLock(t, c)
		done := make(chan error, 1)
		go func() { done <- run(c) }()
		terraformtest.Eventually(t, name+" waits", func() bool {
			return len(done) > 0 || strings.Contains(log.String(), "Acquiring state lock")
		})
		if len(done) > 0 {
			t.Errorf("%s did not wait for the lock", name)
		}
		leave()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheUsersArgumentsSayHowLongToWaitForTheLock(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	c, _ := terraformtest.New(t, dir)
	planfile := terraformtest.Plan(t, c)
	holdLock(t, c)
	for _, env := range [][]string{
		{"TF_CLI_ARGS=-lock-timeout=0s"},
		{"TF_CLI_ARGS_plan=-lock-timeout=0s", "TF_CLI_ARGS_apply=-parallelism=3 -lock-timeout 0s"},
	} {
		impatient, _ := terraformtest.New(t, dir, env...)
		out := filepath.Join(t.TempDir(), "planfile")
		if _, err := impatient.Plan(t.Context(), terraform.PlanOptions{Out: out}); !errors.Is(err, terraform.ErrStateLocked) {
			t.Errorf("%v: plan: %v", env, err)
		}
		result, err := impatient.Apply(t.Context(), planfile)
		if !errors.Is(err, terraform.ErrStateLocked) || errors.Is(err, terraform.ErrInterrupted) {
			t.Errorf("%v: apply: %v", env, err)
		}
		if len(result.Resources) > 0 || result.ErroredState != "" {
			t.Errorf("%v: it is said to have done something: %+v", env, result)
		}
	}
}

func TestTheWaitForTheLockCanBeCancelled(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	c, log := terraformtest.New(t, dir)
	planfile := terraformtest.Plan(t, c)
	holdLock(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !strings.Contains(log.String(), "Acquiring state lock") && t.Context().Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	_, err := c.Apply(ctx, planfile)
	if !errors.Is(err, terraform.ErrInterrupted) || !errors.Is(err, terraform.ErrStateLocked) {
		t.Errorf("error %v", err)
	}
}

// Atmos sets the environment of its component over ours. A script stands in for the
// Terraform that it starts, and says what it is called with.
func TestTheComponentsArgumentsSayHowLongToWaitForTheLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for env, waits := range map[string]bool{
		"":                                       true,
		"TF_CLI_ARGS_plan=-lock-timeout=1m":      false,
		"TF_CLI_ARGS_apply=-lock-timeout=1m":     true,
		"TF_CLI_ARGS_plan=-compact-warnings":     true, // over ours, that has the flag
		"TF_CLI_ARGS=-lock-timeout=1m -no-color": false,
	} {
		c, log := terraformtest.NewAtmos(t, `"$@"`, `say "$*"`)
		if strings.HasSuffix(env, "warnings") {
			c.Env = append(c.Env, "TF_CLI_ARGS_plan=-lock-timeout=1m")
		}
		c.Atmos.Env = []string{env}
		if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: filepath.Join(dir, "planfile")}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), " -lock-timeout=5m0s"); got != waits {
			t.Errorf("%q: %s", env, log)
		}
	}
}

func TestStateLineage(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{
		"main.tf": `resource "terraform_data" "a" { input = "secret" }`, "empty": "", "other": `{"values":{"lineage":"x"}}`,
	})
	c, _ := terraformtest.New(t, dir)
	terraformtest.Apply(t, c)
	plan, err := planfile.Open(terraformtest.Plan(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if got := terraform.StateLineage(filepath.Join(dir, "terraform.tfstate")); got == "" || got != plan.Lineage {
		t.Errorf("lineage %q, and of the plan made on it %q", got, plan.Lineage)
	}
	for _, none := range []string{"empty", "other", "missing"} {
		if got := terraform.StateLineage(filepath.Join(dir, none)); got != "" {
			t.Errorf("%s: lineage %q", none, got)
		}
	}
}
