package fakerunner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

func setEvent(ts *testscript.TestScript, s *story, args []string) {
	s.event(ts, args[0])
	edits := map[string]any{}
	for _, edit := range args[1:] {
		path, value, _ := strings.Cut(edit, "=")
		var v any
		ts.Check(json.Unmarshal([]byte(value), &v))
		edits[path] = v
	}
	s.editPayload(ts, edits)
	if args[0] == "pull_request" {
		s.runOfPull(ts)
	}
	if ref, ok := edits["ref"].(string); ok {
		s.runOn(ts, ref)
	}
}

func (s *story) editPayload(ts *testscript.TestScript, edits map[string]any) {
	var err error
	s.runner.Payload, err = Edit(s.runner.Payload, edits)
	ts.Check(err)
}

// event reads GitHub's own example payload of an event.
func (s *story) event(ts *testscript.TestScript, name string) {
	payload, err := Payload(s.Root, strings.TrimSuffix(name, "_target"))
	ts.Check(err)
	s.runner.Event, s.runner.Payload, s.runner.Actor = name, payload, mona
	s.runOn(ts, "refs/heads/main")
}

// runOfPull sets the ref of the next steps' runs: to the pull request's ref or, if that is merged, to
// the branch that it was merged into.
// https://docs.github.com/actions/reference/workflows-and-actions/variables
func (s *story) runOfPull(ts *testscript.TestScript) {
	var payload struct {
		Number      int
		PullRequest struct {
			Merged bool
			Base   struct{ Ref string }
		} `json:"pull_request"`
	}
	ts.Check(json.Unmarshal(s.runner.Payload, &payload))
	s.runner.SHA, s.runner.Ref = s.head(ts), fmt.Sprintf("refs/pull/%d/merge", payload.Number)
	if payload.PullRequest.Merged {
		s.runner.Ref = "refs/heads/" + payload.PullRequest.Base.Ref
	}
}

// runOn sets the ref of the next steps' runs to a branch or a tag. If the commit that is checked
// out is on it, the runs use that commit, as if it was the newest one when they began; else they
// use the newest one. If the branch or tag does not exist, it is made at that commit, as by a
// push.
func (s *story) runOn(ts *testscript.TestScript, ref string) {
	commits := map[string]string{}
	for line := range strings.Lines(s.git(ts, "show-ref", "--head", ref)) {
		commit, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		commits[name] = commit
	}
	head, newest := commits["HEAD"], commits[ref]
	s.runner.SHA, s.runner.Ref = head, ref
	switch {
	case newest == "":
		s.git(ts, "update-ref", ref, head)
	case newest != head && s.git(ts, "rev-list", "--count", ref+"..HEAD") != "0":
		s.runner.SHA = s.git(ts, "rev-parse", ref+"^{commit}")
	}
}

// Payload is the first example of an event in @octokit/webhooks-examples, changed into an event of
// the stories' repository. root is this repository's folder. "schedule" is not a webhook and has
// no example: like GitHub, it is made from workflow_dispatch, with the schedule in place of the
// inputs.
func Payload(root, event string) ([]byte, error) { return ActionPayload(root, event, "") }

// ActionPayload is Payload with the first example that has an action, such as "labeled"; empty
// means any.
func ActionPayload(root, event, action string) ([]byte, error) {
	if event == "schedule" {
		return schedulePayload(root)
	}
	read, _ := examples.LoadOrStore(root, sync.OnceValues(func() ([]exampleEvent, error) { return readExamples(root) }))
	events, err := read.(func() ([]exampleEvent, error))() //nolint:forcetypeassert // it holds nothing else
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		for _, example := range e.Examples {
			var has struct{ Action string }
			if e.Name == event && json.Unmarshal(example, &has) == nil && (action == "" || action == has.Action) {
				return Edit(example, map[string]any{"repository.full_name": repository, "repository.default_branch": "main"})
			}
		}
	}
	return nil, fmt.Errorf("@octokit/webhooks-examples has no event %s %s", event, action)
}

// exampleEvent is an event of @octokit/webhooks-examples.
type exampleEvent struct {
	Name     string
	Examples []json.RawMessage
}

// examples are the events of each root, read once a process: they are 4 MB.
var examples sync.Map

func readExamples(root string) ([]exampleEvent, error) {
	file := filepath.Join(root, "test", "npm", "node_modules", "@octokit", "webhooks-examples", "api.github.com", "index.json")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read GitHub's example payloads (run `make tools`): %w", err)
	}
	var events []exampleEvent
	return events, json.Unmarshal(content, &events)
}

func schedulePayload(root string) ([]byte, error) {
	example, err := Payload(root, "workflow_dispatch")
	if err != nil {
		return nil, err
	}
	var payload map[string]any
	if err := json.Unmarshal(example, &payload); err != nil {
		return nil, err
	}
	for _, field := range []string{"inputs", "ref", "sender"} {
		delete(payload, field)
	}
	payload["schedule"] = "0 6 * * *"
	return json.Marshal(payload)
}
