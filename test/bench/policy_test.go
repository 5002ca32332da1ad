package bench

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// BenchmarkPlanPolicies2000 plans 2,000 resources with the six policies of examples/policies, and
// without (bare-ms). The goal for ratio is in goal-ratio.
func BenchmarkPlanPolicies2000(b *testing.B) {
	policies, err := filepath.Glob("../../examples/policies/*")
	must(b, err)
	for b.Loop() {
		without, with := newWorld(b, large), newWorld(b, large)
		folder := filepath.Join(with.Workspace(), "policies")
		for _, args := range [][]string{
			{"mkdir", folder},
			append(append([]string{"cp"}, policies...), folder),
			{"git", "-C", with.Workspace(), "add", "--all"},
			{"git", "-C", with.Workspace(), "-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=policies"},
			{"git", "-C", with.Workspace(), "rev-parse", "HEAD"},
		} {
			out, err := exec.CommandContext(b.Context(), args[0], args[1:]...).Output()
			must(b, err)
			with.SHA = strings.TrimSpace(string(out))
		}
		step, log, _, err := with.Exec(b.Context(), filepath.Join(with.actions, "plan"), fakerunner.ComponentInputs(), 0)
		must(b, err)
		if outputs, err := step.Outputs(); err != nil || outputs["policy"] != "passed" && outputs["policy"] != "warned" {
			b.Fatalf("%v, %v\n%s", outputs, err, log)
		}
		var all comparison
		for range 5 {
			with.clean(b)
			judged := with.action(b, "plan")
			without.clean(b)
			all.add(judged, without.action(b, "plan"))
		}
		all.print(b)
		b.ReportMetric(1.2, "goal-ratio")
	}
}
