package workflow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// setUp says which job runs it, and whose version it is.
const setUp = `name: Set-up
description: What our Terraform needs.
runs:
  using: composite
  steps:
    - shell: bash
      run: |
        test ! -e set-up # once in each job
        touch set-up
        echo "set up ${{ github.job }}: the version of main"
`

func newTeamWithSetUp(t *testing.T) *team {
	t.Helper()
	tm := newTeam(t)
	file := tm.path("repository", ".github", "actions", "terraform-gitops-setup", "action.yml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(setUp), 0o644); err != nil {
		t.Fatal(err)
	}
	// As for self-hosted runners. act knows the first label.
	const secrets = "    secrets: { terraform-env: \"LICENSE=${{ secrets.LICENSE }}\", git-credentials: \"https://git:${{ secrets.LICENSE }}@example.com\" }\n"
	teams := strings.Replace(secrets, "secrets: {", "secrets: { teams-token: \"${{ secrets.TEAMS_TOKEN }}\",", 1)
	tm.secrets = map[string]string{"LICENSE": "t0k3n-of-a-tool", "TEAMS_TOKEN": "t0k3n-of-teams"}
	tm.edit(".github/workflows/plan.yml", "    with:\n", secrets+"    with:\n      runs-on: '[\"ubuntu-latest\", \"terraform\"]'\n")
	tm.edit(".github/workflows/apply.yml", "    with:\n      environment: production\n", teams+"    with:\n      environment: production\n      runs-on: '[\"ubuntu-latest\", \"terraform\"]'\n")
	tm.commit("Install what our Terraform needs")
	return tm
}

// wantSetUp checks that the set-up ran in a job, and in which version; none if that is empty.
func (r *job) wantSetUp(id, version string) {
	r.t.Helper()
	said := fmt.Sprintf("set up %s: the version of %s\n", id, version)
	if version != "" && !strings.Contains(r.printed, said) || version == "" && strings.Contains(r.printed, "set up ") {
		r.t.Errorf("the job %s should say %q:\n%s", id, said, r.log)
	}
}

func TestASetUpOfOnesOwnRunsInEachJob(t *testing.T) {
	t.Parallel()
	tm := newTeamWithSetUp(t)
	const file = ".github/actions/terraform-gitops-setup/action.yml"
	pr := tm.open("new-range", "0.0/16", "64.0/18", "components/network/acme-ue2-dev.tfvars")
	tm.git("checkout", "--quiet", "new-range")
	tm.edit(file, "the version of main", "the version of the pull request")
	pr.head = tm.commit("Install more")
	tm.github.Repository(name).Push(pr.number, pr.head)
	tm.trialMerge(pr)

	plan := tm.pullRequestEvent(pr, "opened", false).job("plan")
	plan.want("success", "to add")
	plan.wantSetUp("plan", "the pull request")
	secrets := map[string]string{"terraform-env": "LICENSE=t0k3n-of-a-tool", "git-credentials": "https://git:t0k3n-of-a-tool@example.com"}
	plan.wantPassedOn(secrets)

	tm.merge(pr)
	push := tm.pushEvent(pr)
	push.job("review").want("success", "To be applied")
	push.job("review").wantSetUp("review", "the pull request")
	push.job("apply").want("success", "Applied")
	push.job("apply").wantSetUp("apply", "the pull request")
	push.job("apply").wantPassedOn(secrets)
	push.job("review").wantPassedOn(map[string]string{"terraform-env": "", "git-credentials": ""}) // it runs no Terraform
	for _, id := range []string{"review", "apply"} {                                               // both look whether teams have approved
		push.job(id).wantPassedOn(map[string]string{"teams-token": "t0k3n-of-teams"})
	}

	drift := tm.event("drift", "schedule", "", map[string]any{})
	drift.job("plan").wantSetUp("plan", "the pull request")
	drift.job("detect").want("success", "drifted")
	drift.job("detect").wantSetUp("detect", "the pull request")
	issue := tm.issueOf("service", "acme-ue2-dev")
	tm.github.Repository(name).CloseIssue(issue, "mona")
	remediate := tm.issueEvent(issue, "closed", "").job("remediate")
	remediate.want("success", "")
	remediate.wantSetUp("remediate", "the pull request")
}

// The set-up runs before the action can refuse anything. So it never is the version of a stranger, and
// never one that is not merged in a run of the default branch.
func TestASetUpIsTheVersionOfTheRunsOwnRef(t *testing.T) {
	t.Parallel()
	tm := newTeamWithSetUp(t)
	const file = ".github/actions/terraform-gitops-setup/action.yml"
	pr := tm.open("evil", "the version of main", "the version of the pull request", file)
	tm.edit(".github/workflows/apply.yml", "  push:\n    branches: [main]\n", "  pull_request:\n    types: [closed]\n")

	tm.git("checkout", "--quiet", "--force", "main")
	dispatch := func(ref string) *job {
		return tm.event("plan", "workflow_dispatch", "", map[string]any{
			"ref": ref, "inputs": map[string]any{"pull-request": fmt.Sprint(pr.number)},
		}).job("plan")
	}
	other := dispatch("refs/heads/main")
	other.want("failure", "")
	other.wantSetUp("plan", "main")
	if !strings.Contains(other.log, "GITOPS-RUN-REF") {
		t.Errorf("it was not the pull request that was checked out after it:\n%s", other.log)
	}
	tm.git("checkout", "--quiet", "evil")
	own := dispatch("refs/heads/evil")
	own.want("success", "0 targets")
	own.wantSetUp("plan", "the pull request")

	tm.edit(".github/workflows/apply.yml", "  push:\n    branches: [main]\n", "  pull_request:\n    types: [closed]\n")
	closed := tm.event("apply", "pull_request", "closed", pr.edits(map[string]any{"pull_request.merged": false})).job("review")
	closed.want("success", "")
	closed.wantSetUp("review", "")

	pr.repository = "stranger/infrastructure"
	tm.git("checkout", "--quiet", "--force", "main")
	fork := tm.pullRequestEvent(pr, "opened", false).job("plan")
	fork.want("failure", "")
	fork.wantSetUp("plan", "")
}
