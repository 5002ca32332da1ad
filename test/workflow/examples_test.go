package workflow

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestExamplesPlanApplyAndTakeDriftBack(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	pr := tm.open("new-ranges", "0.0/16", "64.0/18", "components/network/acme-ue2-dev.tfvars", "components/network/acme-ue2-prod.tfvars")

	plan := tm.pullRequestEvent(pr, "opened", false).job("plan")
	plan.want("success", "2 targets: 2 with changes")
	plan.wantRoles("acme-plan", "acme-plan-storage")
	if plan.set["has-changes"] != "true" {
		t.Errorf("outputs: %v", plan.set)
	}
	queue := tm.mergeGroupEvent(pr).job("plan")
	queue.want("success", "2 targets: 2 with changes")
	queue.wantRoles("acme-plan", "acme-plan-storage")

	tm.merge(pr)
	push := tm.pushEvent(pr)
	review, apply := push.job("review"), push.job("apply")
	review.want("success", "To be applied: 2 targets")
	review.wantRoles("acme-drift-storage")
	apply.want("success", "Applied 2 targets")
	apply.wantRoles("acme-apply", "acme-apply-storage")
	for _, stack := range []string{"acme-ue2-dev", "acme-ue2-prod"} {
		stored := tm.account.changePlan("network", stack, pr.queued)
		review.want("success", stored.Record.Digest)
		tm.account.wantApplied(stored, apply)
	}
	if digest := review.set["digest"]; digest == "" || apply.inputs["expected-digest"] != digest {
		t.Errorf("reviewed was %q, and %q was to be applied", digest, apply.inputs["expected-digest"])
	}
	tm.wantCIDR("acme-ue2-dev", "10.1.64.0/18")
	tm.wantCIDR("acme-ue2-prod", "10.2.64.0/18")

	// Somebody changes by hand what is running. The services were never applied.
	edit(t, tm.path("state", "acme-ue2-dev", "network.tfstate"), "10.1.64.0", "10.7.64.0")
	drift := tm.event("drift", "schedule", "", map[string]any{})
	drift.job("plan").want("success", "4 targets: 3 with changes")
	drift.job("plan").wantRoles("acme-drift-storage", "acme-plan")
	drift.job("detect").want("success", "3 drifted")
	drift.job("detect").wantRoles("acme-drift-storage")
	network, service := tm.issueOf("network", "acme-ue2-dev"), tm.issueOf("service", "acme-ue2-prod")

	tm.github.SetClock(func() time.Time { return time.Now().Add(time.Minute) }) // Mona reads the issues first
	tm.github.Repository(name).Label(network, "mona", "apply")
	remediation := tm.issueEvent(network, "labeled", "apply").job("remediate")
	remediation.want("success", "Applied `network` in `acme-ue2-dev`")
	remediation.wantRoles("acme-apply", "acme-apply-storage")
	tm.account.wantApplied(tm.account.driftPlan("network", "acme-ue2-dev", drift), remediation)
	tm.wantIssue(network, "closed", "Applied `network` in `acme-ue2-dev`")
	tm.wantCIDR("acme-ue2-dev", "10.1.64.0/18")

	tm.issueEvent(service, "labeled", "question").wantNoJob("remediate")
	tm.github.Repository(name).CloseIssue(service, "mona")
	discard := tm.issueEvent(service, "closed", "").job("remediate")
	discard.want("success", "")
	discard.wantRoles("acme-apply-storage")
	tm.wantIssue(service, "closed", "`mona` closed this issue")

	again := tm.event("drift", "workflow_dispatch", "", map[string]any{"ref": "refs/heads/main"})
	again.job("plan").want("success", "4 targets: 2 with changes")
	again.job("detect").want("success", "2 drifted")
	if diff := cmp.Diff([]int{tm.issueOf("service", "acme-ue2-dev")}, tm.openIssues()); diff != "" {
		t.Errorf("issues besides that of the drift that nobody discarded (-want +got):\n%s", diff)
	}
}

// The examples, with the options that their comments name.
func TestExamplesLockAndPlanAgain(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	tm.edit(".github/workflows/plan.yml", "      pr-comment: true", "      lock: pull-request\n      pr-comment: true")
	tm.commit("Lock targets")
	first := tm.open("first", "10.1", "10.9", "components/network/acme-ue2-dev.tfvars")
	second := tm.open("second", "The network", "Our network", "components/network/main.tf")
	const holds = "This pull request holds the lock"

	tm.pullRequestEvent(first, "opened", false).job("plan").want("success", holds)
	tm.pullRequestEvent(second, "opened", false).job("plan").want("success", "Locked by pull request `#1`")
	tm.wantComment(second.number, "Locked by pull request `#1`")

	tm.merge(first)
	unlock := tm.pullRequestEvent(first, "closed", true).job("plan")
	unlock.want("success", "pull request `#1` is closed")
	unlock.wantRoles() // the apply releases the locks of a merged pull request
	push := tm.pushEvent(first)
	apply := push.job("apply")
	apply.want("success", "3 added")
	tm.account.wantApplied(tm.account.changePlan("network", "acme-ue2-dev", first.head), apply)

	replan := push.job("replan") // another job than the one that ran Terraform
	replan.want("success", "Planned again: `#2`")
	replan.wantRoles()
	started := tm.github.Repository(name).Dispatches()
	if len(started) != 1 || started[0].Workflow != "plan.yml" || started[0].Ref != "refs/heads/second" {
		t.Fatalf("started: %+v, want plan.yml on the branch of the superseded pull request", started)
	}
	tm.trialMerge(second)
	tm.git("checkout", "--quiet", "second")
	again := tm.event("plan", "workflow_dispatch", "", map[string]any{"ref": started[0].Ref, "inputs": started[0].Inputs})
	again.job("plan").want("success", holds) // in production; there is nothing to change elsewhere
	again.job("plan").wantRoles("acme-plan", "acme-plan-storage")

	tm.wantStatuses(second.head, "success", "failure", "success") // planned, superseded, planned again

	tm.labelEvent(second, "question").wantNoJob("plan")
	labelled := tm.labelEvent(second, "terraform-unlock").job("plan")
	labelled.want("success", "pull request `#2` no longer holds network in `acme-ue2-prod`")
	labelled.wantRoles("acme-plan-storage")
}

// The merged commit has no plan, and the branch has new commits. It is planned and applied by hand, and
// nothing else is.
func TestExamplesPlanAndApplyWhatIsMerged(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	pr := tm.open("new-range", "0.0/16", "64.0/18", "components/network/acme-ue2-dev.tfvars", "components/network/acme-ue2-prod.tfvars")
	tm.merge(pr)
	push := tm.pushEvent(pr)
	push.job("review").want("failure", "no stored plan for commit")
	push.job("result").want("success", "")
	const left = `[{"component":"network","stack":"acme-ue2-dev"},{"component":"network","stack":"acme-ue2-prod"}]`
	tm.wantComment(pr.number, "refused")
	tm.wantComment(pr.number, "-f notify=1 -f targets='"+left+"'")
	tm.edit("components/service/acme-ue2-dev.tfvars", "replicas = 2", "replicas = 3")
	head := tm.commit("Have more of the service")

	dispatch := map[string]any{
		"ref": "refs/heads/main", "inputs": map[string]any{"targets": left, "notify": "1"}, // as the comment says
	}
	run := tm.event("plan-merged", "workflow_dispatch", "", dispatch)
	plan, review, apply := run.job("plan"), run.job("review"), run.job("apply")
	plan.want("success", "2 targets: 2 with changes")
	plan.wantRoles("acme-plan", "acme-plan-storage")
	review.want("success", "To be applied: 2 targets")
	review.wantRoles("acme-drift-storage")
	apply.want("success", "Applied 2 targets")
	apply.wantRoles("acme-apply", "acme-apply-storage")
	run.job("result").wantRoles("acme-drift-storage")
	tm.wantComment(pr.number, "Applied 2 targets")
	for _, stack := range []string{"acme-ue2-dev", "acme-ue2-prod"} {
		tm.account.wantApplied(tm.account.changePlan("network", stack, head), apply)
	}
	tm.wantCIDR("acme-ue2-dev", "10.1.64.0/18")
	tm.wantCIDR("acme-ue2-prod", "10.2.64.0/18")

	dispatch["inputs"] = map[string]any{"components": "network", "stacks": "acme-ue2-{dev,prod}"}
	again := tm.event("plan-merged", "workflow_dispatch", "", dispatch)
	again.job("plan").want("success", "2 targets: 2 without changes")
	again.wantNoJob("review")
	again.wantNoJob("apply")

	// The comment is kept up to date, also if nothing is left to apply.
	dispatch["inputs"] = map[string]any{"targets": left, "notify": "1"}
	kept := tm.event("plan-merged", "workflow_dispatch", "", dispatch)
	kept.job("result").want("success", "")
	kept.wantNoJob("apply")
	tm.wantComment(pr.number, "Applied 2 targets")
}

// Code that is not merged never runs with the default branch's identity, which the drift storage role
// trusts: not if the workflow is started on that branch, and not on an event from somebody else.
func TestExamplesDoNotPlanAPullRequestOnTheDefaultBranch(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	pr := tm.open("evil", "acme-plan\n", "acme-drift-storage\n", "gitops.yaml")
	tm.git("checkout", "--quiet", "main")
	plan := tm.event("plan", "workflow_dispatch", "", map[string]any{
		"ref": "refs/heads/main", "inputs": map[string]any{"pull-request": fmt.Sprint(pr.number)},
	}).job("plan")
	plan.want("failure", "")
	plan.wantRoles()
	if !strings.Contains(plan.log, "GITOPS-RUN-REF") {
		t.Errorf("it does not say why:\n%s", plan.log)
	}
	if calls := tm.account.trail.Calls(); len(calls) > 0 {
		t.Errorf("AWS was asked for %+v", calls)
	}
}

// The label no-plan fails the check, and its removal plans. A draft is planned and marked.
func TestExamplesPlanOnceTheLabelIsRemoved(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	pr := tm.open("new-range", "10.1", "10.9", "components/network/acme-ue2-dev.tfvars")
	pr.labels, pr.draft = []string{"no-plan"}, true
	tm.github.Repository(name).Label(pr.number, "mona", "no-plan")
	tm.github.Repository(name).SetDraft(pr.number, true)
	plan := tm.pullRequestEvent(pr, "opened", false).job("plan")
	plan.want("failure", "")
	plan.wantRoles()
	if !strings.Contains(plan.log, "GITOPS-NO-PLAN-LABEL") {
		t.Errorf("it does not say why:\n%s", plan.log)
	}
	tm.unlabelEvent(pr, "no-plan").job("plan").want("success", "This pull request is a draft")
	tm.wantComment(pr.number, "This pull request is a draft")
	tm.wantComment(pr.number, "exactly this planfile is applied, in the apply workflow's environment")
}

// A required check that is skipped counts as passed.
func TestExamplesFailForAFork(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	pr := tm.open("from-a-stranger", "10.1", "10.9", "components/network/acme-ue2-dev.tfvars")
	pr.repository = "stranger/infrastructure"
	plan := tm.pullRequestEvent(pr, "opened", false).job("plan")
	plan.want("failure", "")
	if !strings.Contains(plan.log, "::error::pull request #1 comes from a fork") {
		t.Errorf("it does not say why:\n%s", plan.log)
	}
	if calls := tm.account.trail.Calls(); len(calls) > 0 {
		t.Errorf("AWS was asked for %+v", calls)
	}
}

// Each environment has a job of its own, whose tokens only its own reviewers let through.
func TestExamplesApplyEachEnvironmentInItsOwnJob(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	tm.environments = []string{"development"}
	tm.edit("gitops.yaml", "  acme-ue2-dev: {}\n", "  acme-ue2-dev: { environment: development }\n")
	tm.commit("Give development an environment")
	pr := tm.open("new-ranges", "0.0/16", "64.0/18", "components/network/acme-ue2-dev.tfvars", "components/network/acme-ue2-prod.tfvars")
	tm.pullRequestEvent(pr, "opened", false).job("plan").want("success", "2 targets: 2 with changes")
	tm.merge(pr)

	push := tm.pushEvent(pr)
	push.job("review").want("success", "`development`: 1 target")
	// The account's roles trust only production.
	push.job("apply@development").want("failure", "GITOPS-AWS-ROLE")
	production := push.job("apply@production")
	if !strings.Contains(production.summary, "Applied `network` in `acme-ue2-prod`") { // act gives all legs of a matrix one result
		t.Errorf("production's summary: %s", production.summary)
	}
	production.wantRoles("acme-apply", "acme-apply-storage")
	tm.account.wantApplied(tm.account.changePlan("network", "acme-ue2-prod", pr.head), production)
	tm.wantCIDR("acme-ue2-prod", "10.2.64.0/18")
	push.wantNoJob("apply-2")
}

// GitHub drops an output of a job that has the value of a secret in it, such as PRODUCTION=production.
// Then nothing is applied, and that must not look like a success.
func TestExamplesFailIfGitHubDropsTheEnvironment(t *testing.T) {
	t.Parallel()
	tm := newTeam(t)
	workflows := filepath.Join(tm.workflows, ".github", "workflows")
	edit(t, filepath.Join(workflows, "apply.yml"), "environments: ${{ steps.review.outputs.environments }}", "environments: ''")
	edit(t, filepath.Join(workflows, "remediate.yml"), "environment: ${{ steps.find.outputs.environment }}", "environment: ''")
	pr := tm.open("new-range", "0.0/16", "64.0/18", "components/network/acme-ue2-dev.tfvars")
	tm.pullRequestEvent(pr, "opened", false).job("plan").want("success", "To apply")
	tm.merge(pr)
	push := tm.pushEvent(pr)
	push.job("review").want("success", "To be applied")
	push.wantNoJob("apply")
	push.job("result").want("failure", "")

	tm.event("drift", "schedule", "", map[string]any{}).job("detect").want("success", "drifted")
	issue := tm.issueOf("network", "acme-ue2-dev")
	tm.github.Repository(name).Label(issue, "mona", "apply")
	labelled := tm.issueEvent(issue, "labeled", "apply")
	labelled.job("lost").want("failure", "")
	labelled.wantNoJob("remediate")
}
