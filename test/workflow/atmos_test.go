package workflow

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// The workflows of examples/atmos replace the seven of Cloud Posse's reference architecture. They run
// from their own files, with the stand-in for Atmos (test/atmos), or with Atmos if PATH has it.
func TestAtmosExamplesApplyByLabelAndFromIssues(t *testing.T) {
	t.Parallel()
	tm := copyTeam(t, map[string]string{"test/atmos/testdata/sample": ".", "examples/atmos": ".github/workflows"})
	atmos := fakerunner.Atmos(t, root)
	tm.environ = []string{"PATH=" + atmos + string(os.PathListSeparator) + os.Getenv("PATH")}
	tm.vars = map[string]string{"ATMOS_VERSION": "1.196.0", "ATMOS_CONFIG_PATH": "."}
	if out, err := exec.CommandContext(t.Context(), "terraform", "version", "-json").Output(); err != nil || !strings.Contains(string(out), `"1.11.4"`) {
		tm.edit("atmos.yaml", "      terraform-version: 1.11.4\n", "")
	}
	tm.account.ofAtmos(tm)
	for _, stack := range []string{"dev", "prod"} {
		tm.edit("stacks/orgs/acme/"+stack+".yaml", "../../../state", tm.path("state"))
	}
	tm.edit("stacks/orgs/acme/prod.yaml", "arn:aws:iam::222222222222:role/acme-gitops-applier", "arn:aws:iam::123456789012:role/acme-apply")
	tm.begin()
	network := func(stack string) string {
		t.Helper()
		state, err := os.ReadFile(tm.path("state", stack, "terraform.tfstate"))
		if err != nil {
			t.Fatal(err)
		}
		return string(state)
	}
	const dev, prod = "stacks/orgs/acme/dev.yaml", "stacks/orgs/acme/prod.yaml"

	// Without a label, the merge opens issues. One of them is applied by a label.
	pr := tm.open("new-range", "10.1.0.0", "10.9.0.0", dev)
	tm.pullRequestEvent(pr, "opened", false).job("plan").want("success", "acme-ue2-")
	tm.merge(pr)
	push := tm.pushEvent(pr)
	push.wantNoJob("review")
	push.job("plan").wantRoles("acme-drift-storage", "acme-plan")
	push.job("detect").want("success", "drifted")
	issue := tm.issueOf("network", "acme-ue2-dev")
	tm.github.SetClock(func() time.Time { return time.Now().Add(time.Minute) }) // Mona reads the issue first
	tm.github.Repository(name).Label(issue, "mona", "apply")
	remediation := tm.issueEvent(issue, "labeled", "apply").job("remediate")
	remediation.want("success", "Applied `network` in `acme-ue2-dev`")
	remediation.wantRoles("acme-apply", "acme-apply-storage")
	tm.wantIssue(issue, "closed", "Applied `network` in `acme-ue2-dev`")
	if state := network("acme-ue2-dev"); !strings.Contains(state, "10.9.0.0/16") {
		t.Errorf("the network was not applied:\n%s", state)
	}

	// auto-apply applies what was reviewed.
	auto := tm.open("auto", "10.2.0.0", "10.8.0.0", prod)
	tm.github.Repository(name).Label(auto.number, "mona", "auto-apply")
	tm.pullRequestEvent(auto, "opened", false).job("plan").want("success", "acme-ue2-")
	tm.merge(auto)
	push = tm.pushEvent(auto)
	push.job("apply").want("success", "Applied")
	push.wantNoJob("plan")
	tm.account.wantApplied(tm.account.changePlan("network", "acme-ue2-prod", auto.head), push.job("apply"))
	if state := network("acme-ue2-prod"); !strings.Contains(state, "10.8.0.0/16") {
		t.Errorf("the network was not applied:\n%s", state)
	}

	// no-apply does neither; plan-merged applies it by hand.
	none := tm.open("none", "10.8.0.0", "10.7.0.0", prod)
	tm.github.Repository(name).Label(none.number, "mona", "no-apply")
	tm.merge(none)
	push = tm.pushEvent(none)
	push.wantNoJob("review")
	push.wantNoJob("plan")
	run := tm.event("plan-merged", "workflow_dispatch", "", map[string]any{
		"ref": "refs/heads/main", "inputs": map[string]any{"components": "network", "stacks": "acme-ue2-prod"},
	})
	run.job("apply").want("success", "Applied")
	drift := tm.event("drift", "schedule", "", map[string]any{})
	drift.job("detect").want("success", "drifted") // the services were never applied
}

// ofAtmos writes the account's settings into atmos.yaml, as the output atmos_settings of the modules' example
// prints them.
func (a *account) ofAtmos(tm *team) {
	tm.t.Helper()
	content := string(mustRead(tm.t, tm.path("repository", "atmos.yaml")))
	before, rest, _ := strings.Cut(content, "      artifact-storage:\n")
	_, after, found := strings.Cut(rest, "      matrix:\n")
	if !found {
		tm.t.Fatalf("atmos.yaml has other settings:\n%s", content)
	}
	settings := "      " + strings.TrimSpace(strings.ReplaceAll(a.settings(), "\n", "\n      ")) + "\n"
	if err := os.WriteFile(tm.path("repository", "atmos.yaml"), []byte(before+settings+"      matrix:\n"+after), 0o644); err != nil {
		tm.t.Fatal(err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
