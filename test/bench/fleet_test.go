package bench

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// fleet is a runner, and a repository with many targets, all of which pull request 1 changes.
type fleet struct {
	*fakerunner.Runner
	actions          string // folder of the binaries
	targets          int
	head, merged     string
	github           *fakegithub.Server
	repository       *fakegithub.Repository
	opened, accepted []byte // events of the pull request: opened, and closed by its merge
	merge            func()
}

// newFleet creates n components in one stack, each in a folder of its own. actions is the folder of
// the binaries, and store is the part of gitops.yaml that configures the plan store. files are more
// files of the repository, each with its name before its content.
func newFleet(tb testing.TB, actions string, n int, module, store string, files ...string) *fleet {
	tb.Helper()
	dir := tb.TempDir()
	gh := fakegithub.Start(tb)
	f := &fleet{
		Runner: &fakerunner.Runner{
			Dir: dir, Repository: "acme/infra", Actor: "mona", Event: "pull_request", Ref: "refs/pull/1/merge", APIURL: gh.URL(),
			Environ: append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraformrc"), "CHECKPOINT_DISABLE=1"),
		},
		actions: actions, targets: n, github: gh, repository: gh.Repository("acme/infra"),
	}
	config := store + "backend-config: [\"path=../../../state/{component}.tfstate\"]\nstacks: { stack: {} }\ncomponents:\n"
	for i := range n {
		config += "  " + component(i) + ": {}\n"
		write(tb, f.module(i), "terraform {\n  backend \"local\" {}\n}\n")
	}
	write(tb, filepath.Join(f.Workspace(), "gitops.yaml"), config)
	for pair := range slices.Chunk(files, 2) {
		write(tb, filepath.Join(f.Workspace(), pair[0]), pair[1])
	}
	write(tb, filepath.Join(dir, "terraformrc"), "")
	f.git(tb, "init", "--quiet", "--initial-branch=main")
	base := f.commit(tb)
	for i := range n {
		write(tb, f.module(i), "terraform {\n  backend \"local\" {}\n}\n"+module)
	}
	f.head = f.commit(tb)
	f.merged = f.git(tb, "commit-tree", f.head+"^{tree}", "-p", base, "-m", "squashed")

	number := f.repository.AddPullRequest(fakegithub.PullRequest{Head: "grow", HeadSHA: f.head, Base: "main", BaseSHA: base})
	f.opened = f.event(tb, number, base, "opened")
	f.merge = sync.OnceFunc(func() { f.repository.Merge(number, fakegithub.Squash, f.merged) })
	f.accepted = f.event(tb, number, base, "closed")
	return f
}

func (f *fleet) event(tb testing.TB, number int, base, action string) []byte {
	tb.Helper()
	payload, err := fakerunner.ActionPayload("../..", "pull_request", action)
	must(tb, err)
	merged, state := "", "open"
	if action == "closed" {
		merged, state = f.merged, "closed"
	}
	payload, err = fakerunner.Edit(payload, map[string]any{
		"number": number, "repository.default_branch": "main", "repository.full_name": f.Repository,
		"pull_request.number": number, "pull_request.state": state,
		"pull_request.merged": merged != "", "pull_request.merge_commit_sha": merged,
		"pull_request.head.sha": f.head, "pull_request.head.ref": "grow", "pull_request.head.repo.full_name": f.Repository,
		"pull_request.base.sha": base, "pull_request.base.ref": "main", "pull_request.base.repo.full_name": f.Repository,
	})
	must(tb, err)
	return payload
}

// ran is the result of running an action.
type ran struct {
	*fakerunner.Step
	log  string
	took time.Duration
	cpu  time.Duration // of the process and its children
	peak int           // most memory of the process alone, in KB; 0 without /proc
}

// run runs an action: plan on the pull request's head, apply on its merge commit.
func (f *fleet) run(tb testing.TB, action string, inputs map[string]string) ran {
	tb.Helper()
	f.Payload, f.SHA = f.opened, f.head
	if action == "apply" {
		f.merge()
		f.Payload, f.SHA = f.accepted, f.merged
	}
	f.git(tb, "checkout", "--quiet", f.SHA)
	f.RunID++
	step, err := f.Step(inputs)
	must(tb, err)
	var log strings.Builder
	cmd := exec.CommandContext(tb.Context(), filepath.Join(f.actions, action))
	cmd.Env, cmd.Stdout, cmd.Stderr = step.Environ, &log, &log
	began := time.Now()
	must(tb, cmd.Start())
	ended, peak := make(chan struct{}), make(chan int)
	go func() { peak <- watch(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	r := ran{Step: step, took: time.Since(began), cpu: cpuOf(cmd)}
	close(ended)
	r.peak, r.log = <-peak, log.String()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", action, err, r.log[max(0, len(r.log)-4000):])
	}
	return r
}

func cpuOf(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// watch returns the most memory that a process used until it ended. The parent's resource usage
// doesn't help, since it includes the process's children, and Terraform uses more.
func watch(pid int, ended <-chan struct{}) (peak int) {
	for {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // it is gone after the process has ended
		if _, rest, ok := strings.Cut(string(status), "\nVmHWM:"); ok {
			_, _ = fmt.Sscan(rest, &peak)
		}
		select {
		case <-ended:
			return peak
		case <-time.After(50 * time.Millisecond): // VmHWM is the peak, so a slow poll is enough
		}
	}
}

func component(i int) string { return fmt.Sprintf("c%05d", i) }

func (f *fleet) module(i int) string {
	return filepath.Join(f.Workspace(), "components", component(i), "main.tf")
}

// state is the path of a target's state.
func (f *fleet) state(i int) string { return filepath.Join(f.Dir, "state", component(i)+".tfstate") }

func (f *fleet) commit(tb testing.TB) string {
	tb.Helper()
	f.git(tb, "add", "--all")
	f.git(tb, "commit", "--quiet", "--message=change")
	return f.git(tb, "rev-parse", "HEAD")
}

func (f *fleet) git(tb testing.TB, args ...string) string {
	tb.Helper()
	args = append([]string{"-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false"}, args...)
	cmd := exec.CommandContext(tb.Context(), "git", args...)
	cmd.Dir = f.Workspace()
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return strings.TrimSpace(string(out))
}

// built is a folder with the actions, for tests that measure nothing of the binaries themselves.
func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, action := range []string{"plan", "apply"} {
		file, err := fakerunner.Binary(t.Context(), filepath.Join("..", ".."), dir, action)
		must(t, err)
		dir = filepath.Dir(file)
	}
	return dir
}

// build builds the actions into a new folder, without symbols, as releases are.
func build(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	for _, action := range []string{"plan", "apply"} {
		cmd := exec.CommandContext(tb.Context(), "go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(dir, action), ".")
		cmd.Dir = filepath.Join("..", "..", "actions", action)
		if out, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("build %s: %v\n%s", action, err, out)
		}
	}
	return dir
}

func write(tb testing.TB, path, content string) {
	tb.Helper()
	must(tb, errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)))
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
