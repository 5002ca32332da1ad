package fakegithub

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// examplesJSON has the examples of GitHub's OpenAPI description, by name, from which answers
// are made. They are here so that a server needs no npm. This package's tests copy them with
// -update from the npm package @octokit/openapi (MIT licence).
//
//go:embed examples.json
var examplesJSON []byte

// exampleNames are the names of the examples in examples.json.
var exampleNames = []string{
	"combined-commit-status",
	"commit-comparison",
	"diff-entry-items",
	"environment-approvals-items",
	"full-repository-default-response",
	"issue",
	"issue-comment",
	"issue-event-for-issue-items",
	"issue-items",
	"pull-request",
	"pull-request-review-items",
	"pull-request-simple-items",
	"repository-collaborator-permission-response-if-user-has-admin-permissions",
	"status",
	"team-member-items",
	"workflow-run",
}

var examples = sync.OnceValues(func() (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	err := json.Unmarshal(examplesJSON, &all)
	return all, err
})

// object is a JSON object that is being made.
type object = map[string]any

// exampleOf is a new copy of one of GitHub's examples, from which to make an answer: it has
// every field that the schema requires.
func exampleOf(name string) (object, error) {
	all, err := examples()
	if err != nil {
		return nil, fmt.Errorf("GitHub's examples: %w", err)
	}
	value, ok := all[name]
	if !ok {
		return nil, fmt.Errorf("GitHub's examples: no %s: add it to exampleNames, and run the tests with -update", name)
	}
	if len(value) > 0 && value[0] == '[' {
		var list []object
		if err := json.Unmarshal(value, &list); err != nil || len(list) == 0 {
			return nil, fmt.Errorf("GitHub's examples: %s has no first item (%w)", name, err)
		}
		return list[0], nil
	}
	var o object
	err = json.Unmarshal(value, &o)
	return o, err
}
