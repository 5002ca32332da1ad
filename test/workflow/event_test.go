package workflow

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// pullRequestEvent is an event of a pull request.
func (tm *team) pullRequestEvent(pr *pullRequest, action string, merged bool) *run {
	tm.t.Helper()
	tm.git("checkout", "--quiet", "--detach", pr.merge)
	workflow := "plan"
	if action == "closed" {
		workflow = "unlock"
	}
	return tm.event(workflow, "pull_request", action, pr.edits(map[string]any{"pull_request.merged": merged}))
}

// labelEvent adds a label to an open pull request, as mona.
func (tm *team) labelEvent(pr *pullRequest, label string) *run {
	tm.t.Helper()
	tm.github.Repository(name).Label(pr.number, "mona", label)
	tm.git("checkout", "--quiet", "--detach", pr.merge)
	return tm.event("unlock", "pull_request", "labeled", pr.edits(map[string]any{"label.name": label, "sender.login": "mona"}))
}

// unlabelEvent removes a label from an open pull request, as mona.
func (tm *team) unlabelEvent(pr *pullRequest, label string) *run {
	tm.t.Helper()
	tm.github.Repository(name).Unlabel(pr.number, "mona", label)
	pr.labels = slices.DeleteFunc(pr.labels, func(l string) bool { return l == label })
	tm.git("checkout", "--quiet", "--detach", pr.merge)
	return tm.event("plan", "pull_request", "unlabeled", pr.edits(map[string]any{"label.name": label, "sender.login": "mona"}))
}

// pushEvent is the push of a merged pull request to main.
func (tm *team) pushEvent(pr *pullRequest) *run {
	tm.t.Helper()
	tm.git("checkout", "--quiet", "main")
	return tm.event("apply", "push", "", map[string]any{
		"ref": "refs/heads/main", "before": pr.base, "after": pr.merge, "deleted": false, "head_commit.id": pr.merge,
	})
}

// mergeGroupEvent is the merge queue's request to check its commit of a pull request.
func (tm *team) mergeGroupEvent(pr *pullRequest) *run {
	tm.t.Helper()
	branch := tm.queue(pr)
	return tm.event("plan", "merge_group", "checks_requested", map[string]any{
		"merge_group.head_sha": pr.queued, "merge_group.head_ref": branch, "merge_group.head_commit.id": pr.queued,
		"merge_group.base_sha": pr.base, "merge_group.base_ref": "refs/heads/main",
	})
}

// issueEvent changes an issue, as mona.
func (tm *team) issueEvent(number int, action, label string) *run {
	tm.t.Helper()
	issue, _ := tm.github.Repository(name).Issue(number)
	var labels []any
	for _, l := range issue.Labels {
		labels = append(labels, map[string]any{"name": l})
	}
	edits := map[string]any{"action": action, "issue.number": number, "issue.labels": labels, "sender.login": "mona"}
	if label != "" {
		edits["label.name"] = label
	}
	return tm.event("remediate", "issues", action, edits)
}

// event runs the workflow for an event, on the commit that is checked out.
func (tm *team) event(workflow, event, action string, edits map[string]any) *run {
	tm.t.Helper()
	file := tm.path("repository", ".github", "workflows", workflow+".yml")
	wantTrigger(tm.t, file, event, action)
	example := action
	switch { // there is no example of these
	case event == "issues" && action == "closed":
		example = "reopened"
	}
	payload, err := fakerunner.ActionPayload(root, event, example)
	if err == nil {
		edits["repository.full_name"] = name
		payload, err = fakerunner.Edit(payload, edits)
	}
	if err == nil {
		err = os.WriteFile(tm.path("event.json"), payload, 0o600)
	}
	if err != nil {
		tm.t.Fatal(err)
	}
	tm.runs++
	id := fmt.Sprint(1000 + tm.runs)
	ref := refOf(event, edits)
	rn := runner{home: tm.path("home"), jobs: tm.variables(file, id, event, ref, edits), environ: []string{
		"GITOPS_BINARY=" + binaries(tm.t),
		"AWS_ENDPOINT_URL=" + tm.account.endpoint, "AWS_EC2_METADATA_DISABLED=true",
		// Where Git finds GitHub.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + tm.path("server") + "/.insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/",
	}}
	rn.environ = append(rn.environ, tm.environ...)
	checkout, err := filepath.Abs("checkout")
	if err != nil {
		tm.t.Fatal(err)
	}
	args := []string{
		event, "--eventpath", tm.path("event.json"), "--workflows", file, "--actor", "mona",
		"--env", "GITHUB_REPOSITORY=" + name, "--env", "GITHUB_RUN_ID=" + id, "--env", "GITHUB_REF=" + ref, "--env", "GITHUB_API_URL=" + tm.github.URL(),
		"--secret", "GITHUB_TOKEN=" + tm.github.NewToken("github-actions[bot]", tm.ownPermissions(file)),
		"--local-repository", "terraform-gitops/gitops@v1=" + tm.workflows, "--no-skip-checkout",
	}
	for name, value := range tm.secrets {
		args = append(args, "--secret", name+"="+value)
	}
	for name, value := range tm.vars {
		args = append(args, "--var", name+"="+value)
	}
	for _, uses := range checkouts(tm.t) {
		args = append(args, "--local-repository", uses+"="+checkout)
	}
	r := rn.act(tm.t, tm.path("repository"), args...)
	if strings.Contains(r.log, "::warning") {
		tm.t.Errorf("%s on %s %s warns, of a permission that its job lacks perhaps:\n%s", workflow, event, action, r.log)
	}
	r.id = id
	for name, job := range r.jobs {
		job.calls = tm.account.calls(id, name)
	}
	return r
}

// ownPermissions returns what the steps of the team's own may do. Our actions get tokens of their own.
func (tm *team) ownPermissions(file string) fakegithub.Permissions {
	own := map[string]string{}
	for _, job := range readWorkflow(tm.t, file).Jobs {
		if job.Uses == "" {
			maps.Copy(own, job.Permissions)
		}
	}
	return ofAPI(own)
}

// refOf returns the ref of a run for an event.
// https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
func refOf(event string, edits map[string]any) string {
	switch event {
	case "pull_request":
		return fmt.Sprintf("refs/pull/%d/merge", edits["number"])
	case "merge_group":
		return edits["merge_group.head_ref"].(string)
	case "workflow_dispatch":
		return edits["ref"].(string)
	default: // only ever of the default branch here
		return "refs/heads/main"
	}
}

// variables returns, for each job, the variables that no other job of the run has: its GITHUB_TOKEN, and
// the address for ID tokens, according to the permissions in the workflow's file.
func (tm *team) variables(file, run, event, ref string, edits map[string]any) map[string]map[string]string {
	tm.t.Helper()
	all := map[string]map[string]string{}
	for _, caller := range readWorkflow(tm.t, file).Jobs {
		if caller.Uses == "" {
			continue // steps of the team's own
		}
		for id, job := range readWorkflow(tm.t, filepath.Join(tm.workflows, caller.called())).Jobs {
			permissions := job.Permissions
			if permissions == nil {
				permissions = caller.Permissions
			}
			for _, environment := range tm.environmentsOf(caller, job) {
				leg := id
				if environment != "" && strings.Contains(job.Environment, "matrix.") {
					leg += "@" + environment
				}
				all[leg] = map[string]string{}
				fork := event == "pull_request" && edits["pull_request.head.repo.full_name"] != name
				if permissions["id-token"] == "write" && !fork {
					all[leg] = tm.account.idTokenVariables(claims{Run: run, Job: leg, Subject: subject(environment, event, ref)})
				}
				all[leg]["INPUT_TOKEN"] = tm.github.NewToken("github-actions[bot]", ofAPI(permissions))
			}
		}
	}
	return all
}
