package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

const inFolder = "artifact-storage: { url: ../store }\n"

// targets is how many the sample repository has.
const targets = 20

// BenchmarkPlanMany plans 20 targets in one job, and compares that with bare Terraform, which plans
// one after another. Both get a list of the targets.
func BenchmarkPlanMany(b *testing.B) { comparePlanMany(b, map[string]string{"all": "true"}) }

// BenchmarkPlanAffected finds out by itself which targets the pull request affects: all 20.
func BenchmarkPlanAffected(b *testing.B) { comparePlanMany(b, nil) }

func comparePlanMany(b *testing.B, inputs map[string]string) {
	b.Helper()
	for b.Loop() {
		f := newFleet(b, build(b), targets, sample, inFolder)
		var all comparison
		for range 5 {
			f.clean(b)
			a := f.run(b, "plan", inputs)
			f.clean(b)
			t := f.bare(b, func(planfile string) [][]string {
				return [][]string{{"plan", "-input=false", "-out=" + planfile}, {"show", "-json", planfile}}
			})
			all.add(a, t)
		}
		all.print(b)
	}
}

// BenchmarkApplyMany applies what was planned for 20 targets.
func BenchmarkApplyMany(b *testing.B) {
	for b.Loop() {
		f := newFleet(b, build(b), targets, sample, inFolder)
		var all comparison
		for range 5 {
			f.clean(b)
			f.run(b, "plan", nil)
			f.removeData(b)
			a := f.run(b, "apply", nil)
			f.clean(b)
			f.bare(b, func(planfile string) [][]string { return [][]string{{"plan", "-input=false", "-out=" + planfile}} })
			f.removeData(b)
			t := f.bare(b, func(planfile string) [][]string { return [][]string{{"apply", "-input=false", planfile}} })
			all.add(a, t)
		}
		all.print(b)
	}
}

// comparison has the measurements of a benchmark's rounds. Half of the CPU time's ratio is the lowest
// possible ratio of wall time on two cores. It shows whether other work disturbed the benchmark.
type comparison struct{ action, bare, ratios, cpuRatios, peaks []float64 }

func (c *comparison) add(action, bare ran) {
	c.action, c.bare = append(c.action, action.took.Seconds()), append(c.bare, bare.took.Seconds())
	c.ratios = append(c.ratios, action.took.Seconds()/bare.took.Seconds())
	c.cpuRatios = append(c.cpuRatios, action.cpu.Seconds()/bare.cpu.Seconds())
	c.peaks = append(c.peaks, float64(action.peak)/1024)
}

func (c *comparison) print(b *testing.B) {
	b.Helper()
	printMedians(b, c.action, c.bare, c.ratios)
	b.ReportMetric(median(c.cpuRatios), "cpu-ratio")
	if peak := median(c.peaks); peak > 0 {
		b.ReportMetric(peak, "peak-MB")
	}
}

// BenchmarkMemory shows whether twice as many targets, at the same parallelism, need more memory.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		actions, fleets := build(b), map[string]*fleet{}
		for _, n := range []int{targets, 2 * targets} {
			fleets[strconv.Itoa(n)] = newFleet(b, actions, n, sample, inFolder)
		}
		peaks := map[string][]float64{}
		for range 5 {
			for n, f := range fleets {
				f.clean(b)
				for _, action := range []string{"plan", "apply"} {
					f.removeData(b)
					r := f.run(b, action, map[string]string{"parallelism": "2"})
					peaks[action+"-"+n] = append(peaks[action+"-"+n], float64(r.peak)/1024)
				}
			}
		}
		b.ReportMetric(0, "ns/op")
		for name, all := range peaks {
			b.ReportMetric(median(all), name+"-MB")
		}
	}
}

// bare runs Terraform's commands in each component, after an init.
func (f *fleet) bare(b *testing.B, commands func(planfile string) [][]string) (r ran) {
	b.Helper()
	began := time.Now()
	for i := range f.targets {
		init := []string{"init", "-input=false", "-backend-config=path=" + f.state(i)}
		for _, args := range append([][]string{init}, commands(filepath.Join(f.Dir, "bare", component(i)))...) {
			cmd := exec.CommandContext(b.Context(), "terraform", args...)
			cmd.Dir, cmd.Env = filepath.Dir(f.module(i)), f.Environ
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%s: %v\n%s", cmd, err, out)
			}
			r.cpu += cpuOf(cmd)
		}
	}
	r.took = time.Since(began)
	return r
}

// clean removes the state, data folders and plans, so that the next run is like the first.
func (f *fleet) clean(b *testing.B) {
	b.Helper()
	f.removeData(b)
	for _, name := range []string{"state", "store", "bare"} {
		must(b, os.RemoveAll(filepath.Join(f.Dir, name)))
	}
	must(b, os.Mkdir(filepath.Join(f.Dir, "bare"), 0o755))
}

// removeData keeps the dependency lock files. Teams have them in Git, and init compares a provider
// with them, which takes a second with the AWS provider.
func (f *fleet) removeData(b *testing.B) {
	b.Helper()
	data, err := filepath.Glob(filepath.Join(f.Workspace(), "components", "*", ".terraform"))
	must(b, err)
	for _, dir := range data {
		must(b, os.RemoveAll(dir))
	}
}
