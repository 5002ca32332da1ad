package terraform_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
)

// slow goes on until there is a file named go, and depends on what is applied before it. (In
// the end it goes on by itself: a test that fails leaves nothing behind for ever.)
const slow = `
resource "terraform_data" "before" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.before]
  provisioner "local-exec" {
    command = "echo line 1; for i in $(seq 6000); do [ ! -e go ] || break; sleep 0.1; done; echo done > finished"
  }
}
resource "terraform_data" "after" { depends_on = [terraform_data.slow] }`

func TestInterruptedApplyWritesItsState(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": slow})
	c, log := terraformtest.New(t, dir)
	planfile := terraformtest.Plan(t, c)
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		for !strings.Contains(log.String(), "line 1") {
			time.Sleep(time.Millisecond)
		}
		cancel(errors.New("the job was cancelled"))
	}()
	result, err := c.Apply(ctx, planfile)
	if !errors.Is(err, terraform.ErrInterrupted) || !strings.Contains(errorText(err), "the job was cancelled") {
		t.Errorf("error %v", err)
	}
	status := map[string]terraform.ResourceStatus{}
	for _, r := range result.Resources {
		status[r.Address] = r.Status
	}
	if len(status) != 3 || status["terraform_data.before"] != terraform.Applied || status["terraform_data.slow"] == terraform.Applied || status["terraform_data.after"] != terraform.NotStarted {
		t.Errorf("resources %+v", result.Resources)
	}
	state := terraformtest.ReadFile(t, filepath.Join(dir, "terraform.tfstate"))
	if !strings.Contains(state, `"before"`) || !strings.Contains(state, `"tainted"`) {
		t.Errorf("state:\n%s", state)
	}
	if terraformtest.Exists(filepath.Join(dir, ".terraform.tfstate.lock.info")) {
		t.Error("the state is still locked")
	}
	log.Has(t, "Interrupt received.")
}

func TestInterruptThatComesTooLateIsNoError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, log := terraformtest.New(t, dir)
	c.Path = terraformtest.Script(t, `trap '' INT; echo begun; while [ ! -e interrupted ]; do sleep 0.01; done; exit 2`)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for log.String() == "" {
			time.Sleep(time.Millisecond)
		}
		cancel()
		terraformtest.WriteFiles(t, dir, map[string]string{"interrupted": ""})
	}()
	result, err := c.Plan(ctx, terraform.PlanOptions{Out: "p"})
	if err != nil || !result.HasChanges {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestFurtherSignalsAreStronger(t *testing.T) {
	t.Parallel()
	c, log := terraformtest.New(t, t.TempDir())
	// A Terraform that does not stop, and a provider of its.
	c.Path = terraformtest.Script(t, `trap 'echo interrupt' INT
(trap '' INT; echo provider $(sh -c 'echo $PPID'); while :; do sleep 0.05; done) &
while :; do sleep 0.01; done`)
	signals := make(chan os.Signal, 1)
	c.Signals = signals
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Plan(ctx, terraform.PlanOptions{Out: "p"})
		done <- err
	}()
	provider := 0
	terraformtest.Eventually(t, "the provider runs", func() bool {
		_, err := fmt.Sscanf(log.String(), "provider %d\n", &provider)
		return err == nil
	})
	cancel()
	terraformtest.Eventually(t, "one interrupt arrives", func() bool { return strings.Count(log.String(), "interrupt\n") == 1 })
	signals <- os.Interrupt
	terraformtest.Eventually(t, "a second interrupt arrives", func() bool { return strings.Count(log.String(), "interrupt\n") == 2 })
	signals <- syscall.SIGTERM
	if err := <-done; !errors.Is(err, terraform.ErrInterrupted) {
		t.Errorf("error %v", err)
	}
	terraformtest.Eventually(t, "the provider is gone", func() bool { return !terraformtest.Runs(provider) })
}

// orphanVariable names the root module that a child of this test binary applies.
const orphanVariable = "TERRAFORM_TEST_ORPHAN"

// applyUntilKilled is that child: it applies dir/planfile and is killed meanwhile.
func applyUntilKilled(dir string) {
	path, _ := exec.LookPath("terraform")
	c := &terraform.CLI{Path: path, Dir: dir, Env: os.Environ(), Log: os.Stdout}
	_, err := c.Apply(context.Background(), filepath.Join(dir, "planfile"))
	fmt.Println("came to its end:", err)
	os.Exit(0)
}

func TestTerraformOutlivesThisProcess(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": slow})
	c, _ := terraformtest.New(t, dir)
	if err := os.Rename(terraformtest.Plan(t, c), filepath.Join(dir, "planfile")); err != nil {
		t.Fatal(err)
	}

	child := exec.Command(os.Args[0])
	child.Env = append(terraformtest.CleanEnv(t), orphanVariable+"="+dir)
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(output)
	seen := ""
	for !strings.Contains(seen, "line 1") {
		line, err := reader.ReadString('\n')
		if err != nil {
			t.Fatalf("the child said: %s%s: %v", seen, line, err)
		}
		seen += line
	}
	// With all its process group, as a runner does it.
	if err := syscall.Kill(-child.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(reader)
	_ = child.Wait()
	if strings.Contains(string(rest), "came to its end") {
		t.Fatal("the child was killed too late")
	}

	lock := filepath.Join(dir, ".terraform.tfstate.lock.info")
	if terraformtest.Exists(filepath.Join(dir, "finished")) || !terraformtest.Exists(lock) {
		t.Fatal("the apply is not in the middle")
	}
	terraformtest.WriteFiles(t, dir, map[string]string{"go": ""})
	terraformtest.Eventually(t, "Terraform has released the lock", func() bool { return !terraformtest.Exists(lock) })
	state := terraformtest.ReadFile(t, filepath.Join(dir, "terraform.tfstate"))
	for _, name := range []string{"before", "slow", "after"} {
		if !strings.Contains(state, `"name": "`+name+`"`) {
			t.Errorf("%s is not in the state", name)
		}
	}
	if strings.Contains(state, "tainted") || !terraformtest.Exists(filepath.Join(dir, "finished")) {
		t.Errorf("the apply did not come to a good end:\n%s", state)
	}
}
