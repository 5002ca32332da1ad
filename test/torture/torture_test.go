// Package torture kills the actions at random moments. Whatever is left must tell the truth.
package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
	"github.com/terraform-gitops/gitops/test/kit/seed"
)

// Each resource writes a line when it is created. Two lines for one resource mean that a plan was
// applied twice.
const module = `
resource "terraform_data" "counted" {
  count = 3
  provisioner "local-exec" {
    command = "echo ${count.index} >> ../../../made"
  }
}
`

func TestTortureKilledRunsLeaveTheTruth(t *testing.T) {
	rounds, random, actions := rounds(t, 12), seed.Random(t), build(t)

	// Measure how long the actions take if they are not killed.
	w := newWorld(t, actions)
	planTime, _ := w.run(t, "plan", 0)
	applyTime, _ := w.run(t, "apply", 0)

	seen := map[string]int{}
	for range rounds {
		w := newWorld(t, actions)
		w.run(t, "plan", moment(random, planTime))
		w.settle(t)
		seen["after a killed plan: "+w.checkPlan(t)]++
		if _, err := w.run(t, "plan", 0); err != nil {
			t.Fatalf("plan after a killed plan: %v\n%s", err, w.log)
		}
		w.run(t, "apply", moment(random, applyTime))
		w.settle(t)
		status := w.status(t)
		seen["after a killed apply: "+string(status)]++
		w.checkApply(t, status)
	}
	for what, n := range seen {
		t.Logf("%3d × %s", n, what)
	}
}

// rounds returns how often a test is repeated.
func rounds(t *testing.T, usually int) int {
	s := os.Getenv("TORTURE_ROUNDS")
	if s == "" {
		return usually
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// build returns the paths of the actions.
func build(t *testing.T) map[string]string {
	actions, dir := map[string]string{}, t.TempDir()
	for _, name := range []string{"plan", "apply"} {
		var err error
		if actions[name], err = fakerunner.Binary(t.Context(), "../..", dir, name); err != nil {
			t.Fatal(err)
		}
	}
	return actions
}

// moment is a random moment of a run that takes about d, or a little after it.
func moment(random *rand.Rand, d time.Duration) time.Duration {
	return 1 + time.Duration(random.Float64()*1.1*float64(d))
}

// checkPlan checks that a record is complete, or doesn't exist.
func (w *world) checkPlan(t *testing.T) string {
	stored, err := w.store(t).Find(t.Context(), w.key(), w.SHA)
	if errors.Is(err, planstore.ErrNotFound) {
		return "no record"
	}
	if err != nil {
		t.Fatalf("a killed plan left a record that can't be read: %v", err)
	}
	if _, err := w.store(t).Fetch(t.Context(), stored.Record, filepath.Join(t.TempDir(), "planfile")); err != nil {
		t.Fatalf("a killed plan left a record whose planfile can't be fetched: %v", err)
	}
	return "a whole record"
}

// checkApply checks that the plan's status fits what was created, also after another apply.
func (w *world) checkApply(t *testing.T, status planstore.Status) {
	made := w.made(t)
	switch {
	case status == planstore.StatusPlanned && len(made) > 0:
		t.Fatalf("the plan is %s, but resources were made: %v", status, made)
	case status == planstore.StatusApplied && len(made) != 3:
		t.Fatalf("the plan is %s, but made is %v", status, made)
	}
	_, err := w.run(t, "apply", 0)
	switch {
	case status == planstore.StatusPlanned && err != nil:
		t.Fatalf("a plan that is %s could not be applied: %v\n%s", status, err, w.log)
	case status != planstore.StatusPlanned && err == nil:
		t.Fatalf("a plan that was %s was applied again", status)
	}
	if status == planstore.StatusPlanned {
		if status = w.status(t); status != planstore.StatusApplied {
			t.Fatalf("after an apply the plan is %s", status)
		}
	}
	again := map[string]bool{}
	for _, line := range w.made(t) {
		if again[line] {
			t.Fatalf("resource %s was made twice: a plan was applied twice", line)
		}
		again[line] = true
	}
	if left, _ := filepath.Glob(filepath.Join(w.Workspace(), "components", "component", "errored.tfstate")); left != nil {
		t.Fatalf("an errored.tfstate was left: the state was lost")
	}
}

type world struct {
	*fakerunner.Runner
	actions map[string]string
	log     string
}

func newWorld(t *testing.T, actions map[string]string) *world {
	runner, err := fakerunner.OneComponent(t.Context(), t.TempDir(), module)
	if err != nil {
		t.Fatal(err)
	}
	return &world{Runner: runner, actions: actions}
}

// run runs an action, and kills it after a while if it is still running then.
func (w *world) run(t *testing.T, action string, kill time.Duration) (took time.Duration, err error) {
	_, w.log, took, err = w.Exec(t.Context(), w.actions[action], fakerunner.ComponentInputs(), kill)
	return took, err
}

// settle waits until no Terraform of this world runs any more.
func (w *world) settle(t *testing.T) {
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		running := false
		processes, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range processes {
			cwd, err := os.Readlink(filepath.Join(p, "cwd"))
			running = running || err == nil && strings.HasPrefix(cwd, w.Dir)
		}
		if !running {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a Terraform of a killed action still runs after five minutes")
		}
	}
}

func (w *world) store(t *testing.T) *planstore.Store {
	backend, err := folder.Open(filepath.Join(w.Dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	store := planstore.New(backend, time.Now)
	return store
}

func (w *world) key() planstore.Target {
	return planstore.Target{Repository: w.Repository, Component: "component", Stack: "stack"}
}

func (w *world) status(t *testing.T) planstore.Status {
	stored, err := w.store(t).Find(t.Context(), w.key(), w.SHA)
	if err != nil {
		t.Fatal(fmt.Errorf("after a killed apply: %w", err))
	}
	return stored.Status
}

func (w *world) made(t *testing.T) []string {
	content, err := os.ReadFile(filepath.Join(w.Dir, "made"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Fields(string(content))
}
