package workflow

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// team has the sample infrastructure, and the unchanged workflows of examples. Its repository is on a Git
// server, from which each job checks out. Its plans are in an AWS account, which a job can only reach
// with its ID tokens. The state is in a folder beside the repository.
type team struct {
	*repository
	account      *account
	environments []string // beside the one in apply.yml
	workflows    string   // a copy of what is behind "terraform-gitops/gitops/…@v1"
	secrets      map[string]string
	vars         map[string]string // variables of the repository
	environ      []string          // of the runner
}

var queueMax = regexp.MustCompile(`(?m)^ *queue: max\n`)

func newTeam(t *testing.T) *team {
	t.Helper()
	tm := copyTeam(t, map[string]string{"test/sample": ".", "examples": ".github/workflows"})
	for _, other := range []string{"atmos", "team", "policies"} { // examples of something else
		if err := os.RemoveAll(tm.path("repository", ".github", "workflows", other)); err != nil {
			t.Fatal(err)
		}
	}
	tm.edit("gitops.yaml", "../../../state", tm.path("state"))
	tm.edit("gitops.yaml", "artifact-storage:\n  url: ../store # a folder instead of a bucket and a table: enough to try things out\n", tm.account.settings())
	tm.edit("components/service/main.tf", "${path.module}/../../../state", tm.path("state"))
	tm.begin()
	return tm
}

// copyTeam copies folders of this repository into a new one, which is not yet one of Git.
func copyTeam(t *testing.T, folders map[string]string) *team {
	t.Helper()
	server, err := fakegithub.New(t.Errorf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	tm := &team{repository: &repository{t: t, dir: t.TempDir(), github: server}, account: newAccount(t)}
	server.Repository(name).SetPermission("mona", "write")
	all := map[string]string{"shared/launcher": "gitops/shared/launcher", ".github/workflows": "gitops/.github/workflows"}
	for from, to := range folders {
		all[from] = filepath.Join("repository", to)
	}
	for from, to := range all {
		if err := os.CopyFS(tm.path(to), os.DirFS(filepath.Join(root, from))); err != nil {
			t.Fatal(err)
		}
	}
	tm.workflows = tm.path("gitops")
	for _, file := range glob(t, "actions/*/action.yml") { // nothing else there: act copies all files for each step
		action := tm.path("gitops", "actions", filepath.Base(filepath.Dir(file)))
		if err := errors.Join(os.MkdirAll(action, 0o755), os.WriteFile(filepath.Join(action, "action.yml"), []byte(read(t, file)), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, ours := range []string{"ci", "nightly", "release"} { // not for others to call
		if err := os.Remove(tm.path("gitops", ".github", "workflows", ours+".yml")); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"apply", "drift", "remediate"} { // act does not know this key of May 2026
		path := filepath.Join(tm.workflows, ".github", "workflows", file+".yml")
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		edit(t, path, string(content), string(queueMax.ReplaceAll(content, nil)))
	}
	return tm
}

// begin makes the folder a repository with a server.
func (tm *team) begin() {
	tm.t.Helper()
	tm.git("init", "--quiet", "--initial-branch=main")
	tm.git("init", "--quiet", "--bare", tm.origin())
	tm.git("-C", tm.origin(), "config", "uploadpack.allowAnySHA1InWant", "true") // as GitHub does
	tm.git("remote", "add", "origin", tm.origin())
	tm.commit("Describe our infrastructure")
}

func (tm *team) origin() string { return tm.path("server", name) }

// commit commits and pushes everything, and returns the commit.
func (tm *team) commit(message string) string {
	tm.t.Helper()
	tm.git("add", "--all")
	tm.git("commit", "--quiet", "--message", message)
	tm.git("push", "--quiet", "origin", "HEAD")
	return tm.git("rev-parse", "HEAD")
}

// issueOf returns the number of a target's open drift issue.
func (tm *team) issueOf(component, stack string) int {
	tm.t.Helper()
	for _, issue := range tm.github.Repository(name).Issues() {
		if issue.State == "open" && strings.Contains(issue.Title, component) && strings.Contains(issue.Title, stack) {
			return issue.Number
		}
	}
	tm.t.Fatalf("%s in %s has no issue", component, stack)
	return 0
}

func (tm *team) openIssues() (numbers []int) {
	for _, issue := range tm.github.Repository(name).Issues() {
		if issue.State == "open" {
			numbers = append(numbers, issue.Number)
		}
	}
	return numbers
}

// wantIssue checks an issue's state and comments.
func (tm *team) wantIssue(number int, state, comment string) {
	tm.t.Helper()
	issue, ok := tm.github.Repository(name).Issue(number)
	if !ok || issue.State != state {
		tm.t.Fatalf("issue %d is %q, want %q", number, issue.State, state)
	}
	tm.wantComment(number, comment)
}

// wantComment checks that a comment on an issue or a pull request says something.
func (tm *team) wantComment(number int, comment string) {
	tm.t.Helper()
	for _, c := range tm.github.Repository(name).Comments(number) {
		if strings.Contains(c.Body, comment) {
			return
		}
	}
	tm.t.Errorf("no comment on #%d says %q", number, comment)
}

// wantStatuses checks the statuses of a commit, the oldest first.
func (tm *team) wantStatuses(commit string, want ...string) {
	tm.t.Helper()
	var got []string
	for _, status := range tm.github.Repository(name).Statuses() {
		if status.Commit == commit {
			got = append(got, status.State)
		}
	}
	if !slices.Equal(got, want) {
		tm.t.Errorf("the statuses of %s were %q, want %q", commit, got, want)
	}
}

// wantCIDR checks the range of an applied network.
func (tm *team) wantCIDR(stack, want string) {
	tm.t.Helper()
	content, err := os.ReadFile(tm.path("state", stack, "network.tfstate"))
	var state struct {
		Outputs struct {
			VPC struct{ Value struct{ CIDR string } }
		}
	}
	if err == nil {
		err = json.Unmarshal(content, &state)
	}
	if err != nil {
		tm.t.Fatal(err)
	}
	if got := state.Outputs.VPC.Value.CIDR; got != want {
		tm.t.Errorf("the network in %s has the range %q, want %q", stack, got, want)
	}
}
