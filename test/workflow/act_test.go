package workflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// run is a workflow run of one job.
type run struct {
	t       *testing.T
	log     string // as a person reads it
	printed string // by the steps' scripts
	summary string // the job summary
	result  string // "success", "failure"; empty: the job did not run

	inputs map[string]string // what the runner gave the action
	set    map[string]string // outputs that the action set
}

// spy is a script that Node reads before each action's (NODE_OPTIONS): it keeps the inputs
// that the runner gave to a main step.
const spy = `if (process.argv[1].includes("/launcher/") && !process.argv[1].endsWith("post.js")) {
  const inputs = Object.entries(process.env).filter(([name]) => name.startsWith("INPUT_"));
  const named = inputs.map(([name, value]) => [name.slice("INPUT_".length).toLowerCase(), value]);
  require("node:fs").writeFileSync(process.env.HOME + "/inputs.json", JSON.stringify(Object.fromEntries(named)));
}
`

// act runs a repository's workflow by github.com/nektos/act, on this machine
// itself instead of a container. What act keeps goes to home; it fetches nothing.
func act(t *testing.T, repository, home string, args ...string) *run {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, "act"), append(args, "--json",
		"--platform", "ubuntu-latest=-self-hosted", "--action-offline-mode", "--no-cache-server")...)
	cmd.Dir = repository
	cmd.Env = environ(t, home)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	r := &run{t: t, set: map[string]string{}}
	var log, printed strings.Builder
	for line := range bytes.Lines(out) {
		// Fields of act's log entries, as its pkg/runner writes them.
		var entry struct {
			Msg       string
			Command   string
			Content   string // of the command "summary", which act reports once a step and once an action
			RawOutput bool   `json:"raw_output"`
			JobResult string
			Name, Arg string   // of the command "set-output"
			StepID    []string // the step's, then that of the composite action's step
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatalf("act printed %q: %v", line, err)
		}
		log.WriteString(strings.TrimRight(entry.Msg, "\n") + "\n")
		if entry.RawOutput {
			printed.WriteString(entry.Msg)
		}
		switch {
		case entry.Command == "summary":
			r.summary = entry.Content
		case entry.Command == "set-output":
			r.set[entry.Name] = entry.Arg
		}
		if entry.JobResult != "" {
			r.result = entry.JobResult
		}
	}
	r.log, r.printed = log.String()+stderr.String(), printed.String()
	if (err == nil) != (r.result == "success") {
		t.Fatalf("act: %v, but the job's result is %q:\n%s", err, r.result, r.log)
	}
	inputs, err := os.ReadFile(filepath.Join(home, "inputs.json"))
	if err == nil {
		err = json.Unmarshal(inputs, &r.inputs)
	}
	if err != nil {
		t.Fatalf("action.yml gave the script no inputs: %v", err)
	}
	return r
}

// environ is the environment of a runner: this one, without what the runner of
// this test, if any, set, and without the user's settings but those of Go.
func environ(t *testing.T, home string) []string {
	t.Helper()
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc([]string{"ACT", "AWS_", "GITHUB_", "INPUT_", "RUNNER_", "TF_", "XDG_"}, func(prefix string) bool {
			return strings.HasPrefix(v, prefix)
		})
	})
	for _, name := range []string{"GOCACHE", "GOENV", "GOMODCACHE", "GOPATH"} { // all below $HOME otherwise
		value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	cliConfig, spyFile := filepath.Join(home, "terraformrc"), filepath.Join(home, "spy.js")
	if err := errors.Join(os.RemoveAll(home), os.MkdirAll(home, 0o755), os.WriteFile(cliConfig, nil, 0o644), os.WriteFile(spyFile, []byte(spy), 0o644)); err != nil {
		t.Fatal(err)
	}
	return append(env, "HOME="+home, "NODE_OPTIONS=--require="+spyFile, "TF_CLI_CONFIG_FILE="+cliConfig, "CHECKPOINT_DISABLE=1", "ACT_DISABLE_VERSION_CHECK=1")
}

// tool is the path of a tool that `make tools` installs.
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
