package torture

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
	"github.com/terraform-gitops/gitops/test/kit/seed"
)

// Each resource writes a line when its creation begins, and one when it has ended. It prints in between:
// a Terraform whose output nobody reads would die of that.
const talkative = `
resource "terraform_data" "counted" {
  count = 3
  provisioner "local-exec" {
    command = "echo ${count.index} >> ../../../begun; for i in 1 2 3 4 5 6; do echo line $i; sleep 0.1; done; echo ${count.index} >> ../../../made"
  }
}
`

// victims are the processes that are killed. Terraform is never killed.
var victims = []string{"Atmos", "Atmos and what it starts", "the action", "Atmos, then the action", "the action, then Atmos"}

// Terraform must finish, whichever process above it is killed. What it created is in the state, and the
// claim says so.
func TestTortureTerraformOutlivesAtmos(t *testing.T) {
	versions := fakerunner.AtmosVersions()
	rounds, random := rounds(t, 2*len(victims)), seed.Random(t)
	actions, atmos := build(t), fakerunner.Atmos(t, filepath.Join("..", ".."))
	world := func(round int) *world {
		runner, err := fakerunner.OneAtmosComponent(t.Context(), t.TempDir(), talkative, atmos, versions[round%len(versions)])
		if err != nil {
			t.Fatal(err)
		}
		return &world{Runner: runner, actions: actions}
	}
	w := world(0)
	w.must(t, "plan")
	applyTime := w.must(t, "apply")

	seen := map[string]int{}
	for round := range rounds {
		w := world(round)
		w.must(t, "plan")
		victim := victims[round%len(victims)]
		killed := w.kill(t, victim, moment(random, applyTime))
		w.settle(t)
		status := w.status(t)
		seen[fmt.Sprintf("%s: %s", victim, status)]++
		w.checkState(t, status, killed)
		if _, err := w.run(t, "apply", 0); (err == nil) != (status == planstore.StatusPlanned) {
			t.Fatalf("round %d: a plan that is %s was applied again: %v\n%s", round, status, err, w.log)
		}
		w.settle(t)
		w.checkState(t, w.status(t), true)
		if t.Failed() {
			t.Fatalf("round %d, %s was killed; the log is\n%s", round, victim, w.log)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%3d × %s", seen[what], what)
	}
}

// must runs an action, which must succeed.
func (w *world) must(t *testing.T, action string) time.Duration {
	took, err := w.run(t, action, 0)
	if err != nil {
		t.Fatalf("%s: %v\n%s", action, err, w.log)
	}
	return took
}

// kill runs the apply and kills a victim after a while. It reports whether the action was killed.
func (w *world) kill(t *testing.T, victim string, after time.Duration) (action bool) {
	_, log, _, err := w.ExecAnd(t.Context(), w.actions["apply"], fakerunner.ComponentInputs(), func(p *os.Process) func() {
		timer := time.AfterFunc(after, func() {
			for _, who := range strings.Split(victim, ", then ") {
				pid := w.atmos()
				switch {
				case who == "the action":
					_ = p.Kill()
				case pid == 0: // it does not run just now
				case who == "Atmos":
					_ = syscall.Kill(pid, syscall.SIGKILL)
				default:
					_ = syscall.Kill(-pid, syscall.SIGKILL)
				}
			}
		})
		return func() { timer.Stop() }
	})
	w.log = log
	var exit interface{ Sys() any }
	if errors.As(err, &exit) {
		status, ok := exit.Sys().(syscall.WaitStatus)
		return ok && status.Signaled()
	}
	return false
}

// atmos returns the process of Atmos that runs Terraform, or 0 if there is none.
func (w *world) atmos() int {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is good
	for _, file := range files {
		folder := filepath.Dir(file)
		cwd, err := os.Readlink(filepath.Join(folder, "cwd"))
		if err != nil || cwd != w.Workspace() {
			continue
		}
		args, _ := os.ReadFile(file) // one that has just ended is none
		if name, rest, _ := strings.Cut(string(args), "\x00"); filepath.Base(name) == "atmos" && strings.HasPrefix(rest, "terraform\x00") {
			pid, _ := strconv.Atoi(filepath.Base(folder)) // digits only
			return pid
		}
	}
	return 0
}

// checkState compares what was created with the state and with the claim.
func (w *world) checkState(t *testing.T, status planstore.Status, killed bool) {
	begun, made, state := w.lines(t, "begun"), w.lines(t, "made"), w.state(t)
	if !slices.Equal(begun, made) || !slices.Equal(made, state) {
		t.Errorf("begun %v, made %v, in the state %v", begun, made, state)
	}
	switch {
	case len(made) != 0 && len(made) != 3:
		t.Errorf("made %v: Terraform did not come to its end", made)
	case status == planstore.StatusApplied && len(made) == 0,
		status == planstore.StatusPlanned && len(made) > 0,
		!killed && (status == planstore.StatusApplied) != (len(made) == 3),
		!killed && status == planstore.StatusApplying:
		t.Errorf("the plan is %s, and made is %v", status, made)
	}
	for _, pattern := range []string{"workspace/components/component/errored.tfstate", "state/stack/.terraform.tfstate.lock.info"} {
		if _, err := os.Stat(filepath.Join(w.Dir, pattern)); err == nil {
			t.Errorf("%s was left", pattern)
		}
	}
}

// lines returns the words of a file, sorted.
func (w *world) lines(t *testing.T, name string) []string {
	content, err := os.ReadFile(filepath.Join(w.Dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	words := strings.Fields(string(content))
	slices.Sort(words)
	return words
}

// state returns the indexes of the resources that are complete in the state, sorted.
func (w *world) state(t *testing.T) []string {
	content, err := os.ReadFile(filepath.Join(w.Dir, "state", "stack", "terraform.tfstate"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var state struct {
		Resources []struct {
			Instances []struct {
				Index  int    `json:"index_key"`
				Status string `json:"status"`
			} `json:"instances"`
		} `json:"resources"`
	}
	if err == nil {
		err = json.Unmarshal(content, &state)
	}
	if err != nil {
		t.Fatal(err)
	}
	var whole []string
	for _, resource := range state.Resources {
		for _, instance := range resource.Instances {
			if instance.Status == "" {
				whole = append(whole, strconv.Itoa(instance.Index))
			}
		}
	}
	slices.Sort(whole)
	return whole
}
