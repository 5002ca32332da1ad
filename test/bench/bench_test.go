// Package bench compares the actions with bare Terraform. Both do the same work in turns, in one
// run, so that the ratio is the same on any machine.
package bench

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

func BenchmarkPlanSample(b *testing.B)  { comparePlan(b, sample, 15) }
func BenchmarkPlan2000(b *testing.B)    { comparePlan(b, large, 3) }
func BenchmarkApplySample(b *testing.B) { compareApply(b, sample, 15) }
func BenchmarkApply2000(b *testing.B)   { compareApply(b, large, 3) }

const sample = `
variable "cidr" { default = "10.1.0.0/16" }
resource "terraform_data" "vpc" { input = { cidr = var.cidr } }
resource "terraform_data" "subnet" {
  count = 2
  input = cidrsubnet(var.cidr, 4, count.index)
}
output "vpc" { value = terraform_data.vpc.output }
`

const large = `
resource "terraform_data" "many" {
  count = 2000
  input = { name = "resource-${count.index}", tags = { team = "platform", index = count.index } }
}
`

func comparePlan(b *testing.B, module string, rounds int) {
	for b.Loop() {
		w := newWorld(b, module)
		var all comparison
		for range rounds {
			w.clean(b)
			a := w.action(b, "plan")
			w.clean(b)
			all.add(a, w.terraform(b, []string{"init", "-input=false"}, []string{"plan", "-input=false", "-out=" + w.planfile()}, []string{"show", "-json", w.planfile()}))
		}
		all.print(b)
	}
}

func compareApply(b *testing.B, module string, rounds int) {
	for b.Loop() {
		w := newWorld(b, module)
		var all comparison
		for range rounds {
			w.clean(b)
			w.action(b, "plan")
			w.removeData(b)
			a := w.action(b, "apply")
			w.clean(b)
			w.terraform(b, []string{"init", "-input=false"}, []string{"plan", "-input=false", "-out=" + w.planfile()})
			w.removeData(b)
			all.add(a, w.terraform(b, []string{"init", "-input=false"}, []string{"apply", "-input=false", w.planfile()}))
		}
		all.print(b)
	}
}

// printMedians prints medians: seconds of each, and the ratio of the pairs.
func printMedians(b *testing.B, action, bare, ratios []float64) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(action)*1000, "action-ms")
	b.ReportMetric(median(bare)*1000, "bare-ms")
	b.ReportMetric(median(ratios), "ratio")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// world is a repository with one component, and a runner.
type world struct {
	*fakerunner.Runner
	actions string
}

func newWorld(b *testing.B, module string) *world {
	actions, err := filepath.Abs("../.tools/bin")
	if err != nil {
		b.Fatal(err)
	}
	runner, err := fakerunner.OneComponent(b.Context(), b.TempDir(), module)
	if err != nil {
		b.Fatal(err)
	}
	return &world{runner, actions}
}

func (w *world) action(b *testing.B, name string) (r ran) {
	before := childrenCPU()
	_, log, took, err := w.Exec(b.Context(), filepath.Join(w.actions, name), fakerunner.ComponentInputs(), 0)
	if err != nil {
		b.Fatalf("%s: %v\n%s", name, err, log)
	}
	r.took, r.cpu = took, childrenCPU()-before
	return r
}

func (w *world) terraform(b *testing.B, commands ...[]string) (r ran) {
	for _, args := range commands {
		cmd := exec.CommandContext(b.Context(), "terraform", args...)
		cmd.Dir = w.component()
		cmd.Env = w.Environ
		var log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &log, &log
		began := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatalf("%s: %v\n%s", cmd, err, log.String())
		}
		r.took += time.Since(began)
		r.cpu += cpuOf(cmd)
	}
	return r
}

// childrenCPU is the CPU time of all processes that have ended.
func childrenCPU() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage) // the arguments are good
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (w *world) component() string { return filepath.Join(w.Workspace(), "components", "component") }
func (w *world) planfile() string  { return filepath.Join(w.Dir, "bare.tfplan") }

// clean removes the state, the data folder and all plans, so that the next run is like the first.
func (w *world) clean(b *testing.B) {
	w.removeData(b)
	for _, name := range []string{"state", "store", "bare.tfplan"} {
		if err := os.RemoveAll(filepath.Join(w.Dir, name)); err != nil {
			b.Fatal(err)
		}
	}
}

func (w *world) removeData(b *testing.B) {
	if err := os.RemoveAll(filepath.Join(w.component(), ".terraform")); err != nil {
		b.Fatal(err)
	}
}
