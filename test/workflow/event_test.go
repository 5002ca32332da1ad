package workflow

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha/ghatest"
	"github.com/terraform-gitops/gitops/shared/github/githubtest"
)

// pullRequestEvent is what happens to a pull request.
func (tm *team) pullRequestEvent(pr *pullRequest, action string, merged bool) *run {
	tm.t.Helper()
	tm.git("checkout", "--quiet", "--detach", pr.merge)
	workflow := "plan"
	if action == "closed" {
		workflow = "unlock"
	}
	return tm.event(workflow, "pull_request", action, pr.edits(map[string]any{"pull_request.merged": merged}))
}

// labelEvent is a label that mona adds to an open pull request.
func (tm *team) labelEvent(pr *pullRequest, label string) *run {
	tm.t.Helper()
	tm.github.Repository(name).Label(pr.number, "mona", label)
	tm.git("checkout", "--quiet", "--detach", pr.merge)
	return tm.event("unlock", "pull_request", "labeled", pr.edits(map[string]any{"label.name": label, "sender.login": "mona"}))
}

// pushEvent is the push of a merged pull request to main.
func (tm *team) pushEvent(pr *pullRequest) *run {
	tm.t.Helper()
	tm.git("checkout", "--quiet", "main")
	return tm.event("apply", "push", "", map[string]any{
		"ref": "refs/heads/main", "before": pr.base, "after": pr.merge, "deleted": false, "head_commit.id": pr.merge,
	})
}

// issueEvent is what mona does to an issue.
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

// event runs the workflow that is to run on an event, on the commit that is checked out.
func (tm *team) event(workflow, event, action string, edits map[string]any) *run {
	tm.t.Helper()
	file := tm.path("repository", ".github", "workflows", workflow+".yml")
	wantTrigger(tm.t, file, event, action)
	example := action
	switch { // there is no example of these
	case event == "issues" && action == "closed":
		example = "reopened"
	case event == "repository_dispatch":
		example = ""
	}
	payload, err := ghatest.ActionPayload(root, event, example)
	if err == nil {
		edits["repository.full_name"] = name
		payload, err = ghatest.Edit(payload, edits)
	}
	if err == nil {
		err = os.WriteFile(tm.path("event.json"), payload, 0o600)
	}
	if err != nil {
		tm.t.Fatal(err)
	}
	tm.runs++
	tokens := map[string]string{}
	caller := readWorkflow(tm.t, file).onlyJob(tm.t)
	for id, job := range readWorkflow(tm.t, filepath.Join(tm.workflows, caller.called())).Jobs {
		permissions := job.Permissions
		if permissions == nil {
			permissions = caller.Permissions
		}
		tokens[id] = tm.github.NewToken("github-actions[bot]", ofAPI(permissions))
	}
	rn := runner{home: tm.path("home"), tokens: tokens, environ: []string{
		"GITOPS_BINARY=" + binaries(tm.t),
		// Where Git finds GitHub.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + tm.path("server") + "/.insteadOf", "GIT_CONFIG_VALUE_0=https://github.com/",
	}}
	checkout, err := filepath.Abs("checkout")
	if err != nil {
		tm.t.Fatal(err)
	}
	args := []string{
		event, "--eventpath", tm.path("event.json"), "--workflows", file, "--actor", "mona",
		"--env", "GITHUB_REPOSITORY=" + name, "--env", fmt.Sprintf("GITHUB_RUN_ID=%d", 1000+tm.runs), "--env", "GITHUB_API_URL=" + tm.github.URL(),
		"--secret", "GITHUB_TOKEN=" + tm.github.NewToken("github-actions[bot]", githubtest.Permissions{}),
		"--local-repository", "terraform-gitops/gitops@v1=" + tm.workflows, "--no-skip-checkout",
	}
	for _, uses := range checkouts(tm.t) {
		args = append(args, "--local-repository", uses+"="+checkout)
	}
	r := rn.act(tm.t, tm.path("repository"), args...)
	if strings.Contains(r.log, "::warning") {
		tm.t.Errorf("%s on %s %s warns, of a permission that its job lacks perhaps:\n%s", workflow, event, action, r.log)
	}
	return r
}
