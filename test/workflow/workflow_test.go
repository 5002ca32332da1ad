// Package workflow runs the actions, and the workflows that users copy and call, with a real workflow
// runner and from the files themselves.
package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

const root = "../.." // of this repository

func TestPullRequestIsPlannedMergedAndAppliedOnce(t *testing.T) {
	t.Parallel()
	r := newRepository(t)

	r.git("checkout", "--quiet", "-b", "new-range")
	r.edit("components/network/acme-ue2-dev.tfvars", "10.1.0.0", "10.9.0.0")
	r.git("commit", "--quiet", "--all", "--message", "Move the network")
	r.head = r.git("rev-parse", "HEAD")
	r.github.Repository(name).AddPullRequest(fakegithub.PullRequest{Head: "new-range", HeadSHA: r.head, Base: "main", BaseSHA: r.base})
	plan := r.run("plan", "opened").job("plan")
	plan.want("success", "3 to add")
	inputs := map[string]string{
		"component": "network", "stack": "acme-ue2-dev", "storage-url": r.path("store"), "debug": "false", "token": r.github.Token(),
	}
	plan.wantPassedOn(inputs)
	plan.wantLine(`^has-changes=true adds=3 digest=[0-9a-f]{64} planfile=\.$`)

	r.git("checkout", "--quiet", "main")
	r.git("merge", "--quiet", "--no-ff", "--no-edit", "new-range")
	r.merged = r.git("rev-parse", "HEAD")
	r.github.Repository(name).Merge(1, fakegithub.MergeCommit, r.merged)
	apply := r.run("apply", "closed").job("apply")
	apply.want("success", "3 added")
	apply.wantPassedOn(inputs)
	apply.wantLine(`^status=succeeded outputs=\{"vpc":\{"cidr":"10\.9\.0\.0/16"\}\}\.$`)
	applied := r.state()
	var state struct {
		Outputs struct {
			VPC struct{ Value struct{ CIDR string } }
		}
	}
	if err := json.Unmarshal(applied, &state); err != nil {
		t.Fatal(err)
	}
	if cidr := state.Outputs.VPC.Value.CIDR; cidr != "10.9.0.0/16" {
		t.Errorf("after the apply the state has the range %q", cidr)
	}

	again := r.run("apply", "closed").job("apply")
	again.want("failure", "already applied by [that run](https://github.com/acme/infrastructure/actions/runs/1002/")
	again.wantPassedOn(inputs)
	again.wantLine(`^status=failed outputs=\{\}\.$`)
	if string(r.state()) != string(applied) {
		t.Error("the refused apply changed the state")
	}
}

// repository is a team's repository: the sample infrastructure, a copy of the actions, and the workflows in
// testdata. State and plans are beside it.
type repository struct {
	t                  *testing.T
	dir                string // holds repository, state and store
	base, head, merged string // of its one pull request
	runs               int    // of workflows
	github             *fakegithub.Server
}

const name = "acme/infrastructure"

func newRepository(t *testing.T) *repository {
	t.Helper()
	server, err := fakegithub.New(t.Errorf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	r := &repository{t: t, dir: t.TempDir(), github: server}
	for from, to := range map[string]string{ // act copies all of it for each job
		"actions": "actions", "shared": "shared", "test/sample": ".", "test/workflow/testdata": ".github/workflows",
	} {
		if err := os.CopyFS(r.path("repository", to), fakerunner.Sources(filepath.Join(root, from))); err != nil {
			t.Fatal(err)
		}
	}
	// A runner checks out into a new folder for each job, so only absolute paths stay valid.
	r.edit("gitops.yaml", "../../../state", r.path("state"))
	r.git("init", "--quiet", "--initial-branch=main")
	r.git("add", "--", ".", ":!actions", ":!shared")
	r.git("commit", "--quiet", "--message", "Describe our infrastructure")
	r.base = r.git("rev-parse", "HEAD")
	return r
}

func (r *repository) path(elements ...string) string {
	return filepath.Join(append([]string{r.dir}, elements...)...)
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", append([]string{"-c", "user.name=Mona", "-c", "user.email=mona@example.com"}, args...)...)
	cmd.Dir, cmd.Env = r.path("repository"), append(os.Environ(), "GIT_CONFIG_GLOBAL="+r.path("gitconfig"))
	err := os.WriteFile(r.path("gitconfig"), []byte(fewFiles), 0o600)
	var out []byte
	if err == nil {
		out, err = cmd.CombinedOutput()
	}
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repository) edit(file, from, to string) {
	r.t.Helper()
	edit(r.t, r.path("repository", file), from, to)
}

func edit(t *testing.T, path, from, to string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), from) {
		t.Fatalf("%s does not contain %q", path, from)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(content), from, to)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (r *repository) state() []byte {
	r.t.Helper()
	content, err := os.ReadFile(r.path("state", "acme-ue2-dev", "network.tfstate"))
	if err != nil {
		r.t.Fatal(err)
	}
	return content
}

// run runs a workflow for an event of the pull request, on what is checked out.
func (r *repository) run(workflow, action string) *run {
	r.t.Helper()
	payload, err := fakerunner.Payload(root, "pull_request")
	if err != nil {
		r.t.Fatal(err)
	}
	payload, err = fakerunner.Edit(payload, map[string]any{
		"action": action, "number": 1, "pull_request.number": 1, "repository.full_name": name,
		"pull_request.merged": r.merged != "", "pull_request.merge_commit_sha": r.merged,
		"pull_request.head.sha": r.head, "pull_request.head.ref": "new-range", "pull_request.head.repo.full_name": name,
		"pull_request.base.sha": r.base, "pull_request.base.ref": "main", "pull_request.base.repo.full_name": name,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	event := r.path("event.json")
	if err := os.WriteFile(event, payload, 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.runs++
	return runner{home: r.path("home")}.act(r.t, r.path("repository"),
		"pull_request", "--eventpath", event, "--workflows", filepath.Join(".github", "workflows", workflow+".yml"),
		"--env", "GITHUB_REPOSITORY="+name, "--env", fmt.Sprintf("GITHUB_RUN_ID=%d", 1000+r.runs), "--actor", "mona", "--secret", "GITHUB_TOKEN="+r.github.Token(), "--env", "GITHUB_API_URL="+r.github.URL(), "--var", "PLAN_STORE="+r.path("store"))
}

// want checks how the job ended and what its summary says.
func (r *job) want(result, summary string) {
	r.t.Helper()
	if r.result != result || !strings.Contains(r.summary, summary) {
		r.t.Fatalf("the job's result is %q, want %q, and its summary should say %q:\n%s", r.result, result, summary, r.log)
	}
}

// wantRoles checks which AWS roles the job assumed, sorted.
func (r *job) wantRoles(names ...string) {
	r.t.Helper()
	taken := map[string]bool{}
	for _, call := range r.calls {
		taken[call.Role] = true
	}
	if got := slices.Sorted(maps.Keys(taken)); !slices.Equal(got, names) {
		r.t.Errorf("the job took on the roles %q, want %q:\n%s", got, names, r.log)
	}
}

// wantPassedOn checks that the given inputs and the defaults of others reach the action, and that it sets
// outputs.
func (r *job) wantPassedOn(inputs map[string]string) {
	r.t.Helper()
	for name, want := range inputs {
		if got := r.inputs[name]; got != want {
			r.t.Errorf("action.yml gave the script the input %s=%q, want %q", name, got, want)
		}
	}
	if len(r.set) == 0 {
		r.t.Error("the script set no outputs")
	}
}

// wantLine checks that a step printed a line.
func (r *job) wantLine(pattern string) {
	r.t.Helper()
	if !regexp.MustCompile("(?m)" + pattern).MatchString(r.printed) {
		r.t.Fatalf("no step printed %s:\n%s", pattern, r.log)
	}
}
