// Package fakerunner runs the real binaries of actions, for tests and the demo, in what an
// action sees of GitHub's runner ([Runner]): the environment, the event's payload, the files for
// outputs and the job summary. It also has the words of the stories ([Scripts]) in
// actions/*/testdata/script.
package fakerunner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Runner runs jobs of one repository.
type Runner struct {
	Dir        string // holds everything below; absolute
	Repository string // owner/name
	Actor      string
	APIURL     string // of GitHub; empty: none is to be asked
	Environ    []string

	// The event that started the workflow.
	Event   string // its name, such as "pull_request"
	Payload []byte
	SHA     string
	Ref     string

	RunID      int
	RunAttempt int // 0 is 1
	steps      int
}

// Workspace is where the repository is checked out.
func (r *Runner) Workspace() string { return filepath.Join(r.Dir, "workspace") }

// Temp is RUNNER_TEMP.
func (r *Runner) Temp() string { return filepath.Join(r.Dir, "temp") }

// Step is one step of a job: an action to be run once.
type Step struct {
	Environ []string // the action's whole environment
	output  string
	summary string
}

// Step prepares a step with an action's inputs.
func (r *Runner) Step(inputs map[string]string) (*Step, error) {
	r.steps++
	dir := filepath.Join(r.Dir, "steps", strconv.Itoa(r.steps))
	for _, d := range []string{dir, r.Workspace(), r.Temp()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	s := &Step{output: filepath.Join(dir, "output"), summary: filepath.Join(dir, "summary.md")}
	event := filepath.Join(dir, "event.json")
	for file, content := range map[string][]byte{s.output: nil, s.summary: nil, event: r.Payload} {
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return nil, err
		}
	}
	s.Environ = append(s.Environ, r.Environ...)
	s.Environ = append(s.Environ,
		"CI=true", "GITHUB_ACTIONS=true",
		"GITHUB_ACTOR="+r.Actor,
		"GITHUB_API_URL="+r.APIURL,
		"GITHUB_EVENT_NAME="+r.Event,
		"GITHUB_EVENT_PATH="+event,
		"GITHUB_OUTPUT="+s.output,
		"GITHUB_REF="+r.Ref,
		"GITHUB_REPOSITORY="+r.Repository,
		fmt.Sprintf("GITHUB_RUN_ATTEMPT=%d", max(1, r.RunAttempt)),
		fmt.Sprintf("GITHUB_RUN_ID=%d", r.RunID),
		"GITHUB_SERVER_URL=https://github.com",
		"GITHUB_SHA="+r.SHA,
		"GITHUB_STEP_SUMMARY="+s.summary,
		"GITHUB_WORKSPACE="+r.Workspace(),
		"RUNNER_TEMP="+r.Temp(),
	)
	for name, value := range inputs {
		s.Environ = append(s.Environ, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, " ", "_"))+"="+value)
	}
	return s, nil
}

// Summary is the job summary that the step wrote.
func (s *Step) Summary() (string, error) {
	b, err := os.ReadFile(s.summary)
	return string(b), err
}

// Outputs reads the step's outputs as the runner does: NAME=VALUE, or
// NAME<<DELIMITER, lines, DELIMITER.
func (s *Step) Outputs() (map[string]string, error) {
	b, err := os.ReadFile(s.output)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for i := 0; i < len(lines) && string(b) != ""; i++ {
		name, delimiter, multiline := strings.Cut(lines[i], "<<")
		if equals := strings.IndexByte(lines[i], '='); equals >= 0 && (!multiline || equals < len(name)) {
			out[lines[i][:equals]] = lines[i][equals+1:]
			continue
		}
		if !multiline {
			return nil, fmt.Errorf("output file line %d: %q is neither NAME=VALUE nor NAME<<DELIMITER", i+1, lines[i])
		}
		var value []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		if i == len(lines) {
			return nil, fmt.Errorf("output %s: no closing delimiter %q", name, delimiter)
		}
		out[name] = strings.Join(value, "\n")
	}
	return out, nil
}

// Edit returns a webhook payload with the values at dotted paths replaced, such
// as "pull_request.head.sha". Only what a workflow's author or a sender chooses, inputs and
// client_payload, may get new ones.
func Edit(payload []byte, edits map[string]any) ([]byte, error) {
	var root map[string]any
	if err := json.Unmarshal(payload, &root); err != nil {
		return nil, fmt.Errorf("edit a payload: %w", err)
	}
	for path, value := range edits {
		at := root
		keys := strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			next, ok := at[key].(map[string]any)
			if !ok {
				return nil, fmt.Errorf("edit a payload: %s: there is no object %q", path, key)
			}
			at = next
		}
		last := keys[len(keys)-1]
		if _, ok := at[last]; !ok && keys[0] != "inputs" && keys[0] != "client_payload" {
			return nil, fmt.Errorf("edit a payload: there is no %s", path)
		}
		at[last] = value
	}
	return json.Marshal(root)
}
