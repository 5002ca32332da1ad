package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// run is a workflow run.
type run struct {
	t    *testing.T
	id   string
	log  string          // as a person reads it
	jobs map[string]*job // the jobs that ran, by id
}

// job is a job of a run.
type job struct {
	*run
	result  string // "success", "failure"
	summary string // the job summary
	printed string // by the steps' scripts

	inputs map[string]string // what the runner gave the action
	set    map[string]string // outputs that the action set

	calls []fakeaws.Call // to AWS
}

// spy is a script that Node runs before each action (NODE_OPTIONS). It records the inputs that the runner
// gave to a main step. It gives each job variables of its own: a token instead of the one that act gives
// to all jobs, and the address for ID tokens, which act doesn't have.
const spy = `if (process.argv[1].includes("/launcher/") && !process.argv[1].endsWith("post.js")) {
  const fs = require("node:fs");
  const { env } = process;
  const inputs = Object.entries(env).filter(([name]) => name.startsWith("INPUT_"));
  const named = inputs.map(([name, value]) => [name.slice("INPUT_".length).toLowerCase(), value]);
  const all = JSON.parse(fs.readFileSync(env.HOME + "/jobs.json", "utf8")) ?? {};
  const leg = env.GITHUB_JOB + "@" + env.INPUT_ENVIRONMENT; // of a matrix of environments
  const id = leg in all ? leg : env.GITHUB_JOB;
  fs.writeFileSync(env.HOME + "/inputs-" + id + ".json", JSON.stringify(Object.fromEntries(named)));
  const own = all[id] ?? {};
  if (!env.INPUT_TOKEN) {
    delete own.INPUT_TOKEN; // the action does not ask for it
  }
  Object.assign(env, own);
}
`

// runner is where act runs: this machine, without a container.
type runner struct {
	home    string                       // what act keeps
	environ []string                     // added to this process'
	jobs    map[string]map[string]string // each job's own variables
}

// act runs a repository's workflow with github.com/nektos/act. It downloads nothing.
func (rn runner) act(t *testing.T, repository string, args ...string) *run {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, "act"), append(args, "--json",
		"--platform", "ubuntu-latest=-self-hosted", "--platform", "self-hosted=-self-hosted", "--action-offline-mode", "--no-cache-server")...)
	cmd.Dir = repository
	cmd.Env = rn.prepare(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	r := &run{t: t, jobs: map[string]*job{}}
	var log strings.Builder
	passed := true
	for line := range bytes.Lines(out) {
		// Fields of act's log entries, as its pkg/runner writes them.
		var entry struct {
			Msg       string
			JobID     string
			Command   string
			Content   string // of the command "summary", which act reports once a step and once an action
			RawOutput bool   `json:"raw_output"`
			Matrix    map[string]any
			JobResult string
			Name, Arg string // of the command "set-output"
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatalf("act printed %q: %v", line, err)
		}
		log.WriteString(strings.TrimRight(entry.Msg, "\n") + "\n")
		if entry.JobID == "" {
			continue
		}
		id := entry.JobID
		if environment, ok := entry.Matrix["environment"].(string); ok {
			id += "@" + environment
		}
		j := r.jobs[id]
		if j == nil {
			j = &job{run: r, set: map[string]string{}}
			r.jobs[id] = j
		}
		if entry.RawOutput {
			j.printed += entry.Msg
		}
		switch {
		case entry.Command == "summary":
			j.summary = entry.Content
		case entry.Command == "set-output":
			j.set[entry.Name] = entry.Arg
		}
		if entry.JobResult != "" {
			j.result = entry.JobResult
			passed = passed && j.result == "success"
		}
	}
	r.log = log.String() + stderr.String()
	if (err == nil) != passed {
		t.Fatalf("act: %v, but whether all jobs succeeded is %t:\n%s", err, passed, r.log)
	}
	for id, j := range r.jobs {
		inputs, err := os.ReadFile(filepath.Join(rn.home, "inputs-"+id+".json"))
		if err == nil {
			err = json.Unmarshal(inputs, &j.inputs)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return r
}

// prepare creates a new home, and returns the environment of a runner. That is this process' environment
// without the variables of a runner around this test, and without the user's settings except Go's. Such
// as NODE_EXTRA_CA_CERTS, with which each start of Node takes three times as long.
func (rn runner) prepare(t *testing.T) []string {
	t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc([]string{"ACT", "AWS_", "GIT_", "GITHUB_", "GITOPS_", "INPUT_", "NODE_", "RUNNER_", "TF_", "XDG_"}, func(prefix string) bool {
			return strings.HasPrefix(v, prefix)
		})
	})
	ofGo, err := goFolders()
	if err != nil {
		t.Fatal(err)
	}
	env = append(env, ofGo...)
	jobs, err := json.Marshal(rn.jobs)
	if err := errors.Join(err, os.RemoveAll(rn.home), os.MkdirAll(rn.home, 0o755)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"terraformrc": "", "spy.js": spy, "jobs.json": string(jobs), ".gitconfig": fewFiles} {
		if err := os.WriteFile(filepath.Join(rn.home, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return append(append(env, "HOME="+rn.home, "NODE_OPTIONS=--require="+filepath.Join(rn.home, "spy.js"),
		"TF_CLI_CONFIG_FILE="+filepath.Join(rn.home, "terraformrc"), "CHECKPOINT_DISABLE=1", "ACT_DISABLE_VERSION_CHECK=1"), rn.environ...)
}

// goFolders returns variables for Go's folders. All are below $HOME otherwise.
var goFolders = sync.OnceValues(func() (environ []string, err error) {
	names := []string{"GOCACHE", "GOENV", "GOMODCACHE", "GOPATH"}
	values, err := exec.CommandContext(context.Background(), "go", append([]string{"env"}, names...)...).Output()
	for i, value := range strings.Split(strings.TrimSuffix(string(values), "\n"), "\n") {
		if err == nil {
			environ = append(environ, names[i]+"="+value)
		}
	}
	return environ, err
})

// fewFiles are settings of Git with which a new repository has no examples of hooks and no logs, what is
// fetched or pushed stays one file, and nothing is tidied up. Some hundred repositories are made here.
const fewFiles = `[init]
	templateDir =
[core]
	logAllRefUpdates = false
[transfer]
	unpackLimit = 1
[maintenance]
	auto = false
[receive]
	autogc = false
`

// job returns a job that ran. If it did not run, the test ends. The job of an environment is
// apply@production; without a name it is the only one.
func (r *run) job(id string) *job {
	r.t.Helper()
	j := r.jobs[id]
	legs := 0
	for leg, of := range r.jobs {
		if strings.HasPrefix(leg, id+"@") {
			legs, j = legs+1, of
		}
	}
	if legs > 1 {
		r.t.Fatalf("%s ran for %d environments", id, legs)
	}
	if j == nil || j.result == "" {
		r.t.Fatalf("the job %s did not run:\n%s", id, r.log)
	}
	return j
}

// wantNoJob checks that a job was skipped.
func (r *run) wantNoJob(id string) {
	r.t.Helper()
	for ran, j := range r.jobs {
		if (ran == id || strings.HasPrefix(ran, id+"@")) && j.inputs != nil {
			r.t.Fatalf("the job %s ran:\n%s", ran, r.log)
		}
	}
}

// tool returns the path of a tool that `make tools` installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "test", ".tools", "bin", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%v: run `make tools`", err)
	}
	return path
}
