package ghatest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
	var err error
	s.runner.Payload, err = Edit(s.runner.Payload, edits)
	ts.Check(err)
}

func (s *story) pullRequestEvent(ts *testscript.TestScript, n int, action string) {
	p := s.pulls[n]
	s.event(ts, "pull_request")
	s.runner.SHA, s.runner.Ref = p.head, fmt.Sprintf("refs/pull/%d/merge", n)
	if p.merged != "" {
		s.runner.SHA, s.runner.Ref = p.merged, "refs/heads/"+p.into
	}
	var err error
	s.runner.Payload, err = Edit(s.runner.Payload, map[string]any{
		"action": action, "number": n,
		"pull_request.number": n, "pull_request.merged": p.merged != "", "pull_request.merge_commit_sha": p.merged,
		"pull_request.head.sha": p.head, "pull_request.head.ref": p.branch, "pull_request.head.repo.full_name": repository,
		"pull_request.base.sha": p.base, "pull_request.base.ref": p.into, "pull_request.base.repo.full_name": repository,
	})
	ts.Check(err)
}

// event takes GitHub's own example payload of an event.
func (s *story) event(ts *testscript.TestScript, name string) {
	payload, err := Payload(s.Root, strings.TrimSuffix(name, "_target"))
	ts.Check(err)
	s.runner.Event, s.runner.Payload, s.runner.Actor = name, payload, mona
	s.runner.SHA, s.runner.Ref = s.git(ts, "rev-parse", "HEAD"), "refs/heads/main"
}

// Payload is the first example of an event in @octokit/webhooks-examples, made
// an event of the stories' repository. root is this repository's folder.
func Payload(root, event string) ([]byte, error) { return ActionPayload(root, event, "") }

// ActionPayload is Payload's example with an action, such as "labeled"; any when that is empty.
func ActionPayload(root, event, action string) ([]byte, error) {
	file := filepath.Join(root, "test", "npm", "node_modules", "@octokit", "webhooks-examples", "api.github.com", "index.json")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read GitHub's example payloads (run `make tools`): %w", err)
	}
	var events []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(content, &events); err != nil {
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
