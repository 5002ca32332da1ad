package evaluator_test

import (
	"bytes"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/changes/changestest"
	"github.com/terraform-gitops/gitops/shared/policy"
)

// manyPolicies are ten rules that look at each resource of a plan.
func manyPolicies() policy.Set {
	text := "package main\n\nimport rego.v1\n\nchanged := [r | some r in input.resource_changes; r.change.actions != [\"no-op\"]]\n"
	for i := range 10 {
		text += "\ndeny_" + string(rune('a'+i)) + ` contains msg if {
	some r in changed
	r.change.after.instance_type == "x` + string(rune('a'+i)) + `"
	msg := r.address
}
`
	}
	return files("policies/a.rego", text)
}

// A plan of 50,000 changes needs about 600 MiB, of the 2 GiB that there are: docs/policies.md says so.
func TestALargePlanFits(t *testing.T) {
	t.Parallel()
	var plan bytes.Buffer
	if err := changestest.WritePlan(&plan, 10_000); err != nil {
		t.Fatal(err)
	}
	memory := int64(256 << 20)
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		memory *= 4 // the race detector needs memory, too
	}
	if v := evaluate(t, policy.Options{Policies: manyPolicies(), Memory: memory}, plan.String()); v.Result != policy.Passed {
		t.Errorf("%+v", v)
	}
}

// BenchmarkEvaluation evaluates ten rules on a plan with 50,000 resource changes. It reports how long
// the evaluation takes after the plan has arrived, and the peak memory of its process.
func BenchmarkEvaluation(b *testing.B) {
	var plan bytes.Buffer
	if err := changestest.WritePlan(&plan, 50_000); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start := time.Now()
		e, err := policy.Start(b.Context(), policy.Options{Policies: manyPolicies()})
		if err != nil {
			b.Fatal(err)
		}
		_, _ = e.Write(plan.Bytes())
		read := time.Now()
		if v := e.End(changes.Counts{}); v.Result != policy.Passed {
			b.Fatalf("%+v", v)
		}
		b.ReportMetric(read.Sub(start).Seconds(), "read-s")
		b.ReportMetric(time.Since(read).Seconds(), "evaluate-s")
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &usage); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(plan.Len())/(1<<20), "plan-MiB")
	b.ReportMetric(float64(usage.Maxrss)/1024, "peak-MiB")
}
