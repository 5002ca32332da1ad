package fakegithub

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// examplesJSON holds the examples of GitHub's OpenAPI description that answers are built
// on, by name: they are here so that a server can be made without npm. Copied from the
// npm package @octokit/openapi (MIT licence) by this package's tests with -update.
//
//go:embed examples.json
var examplesJSON []byte

// exampleNames is what examples.json holds.
var exampleNames = []string{
	"combined-commit-status",
	"commit-comparison",
	"full-repository-default-response",
	"issue",
	"issue-comment",
	"issue-event-for-issue-items",
	"issue-items",
	"pull-request",
	"pull-request-simple-items",
	"repository-collaborator-permission-response-if-user-has-admin-permissions",
	"status",
	"team-member-items",
}

var examples = sync.OnceValues(func() (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	err := json.Unmarshal(examplesJSON, &all)
	return all, err
})

// object is a JSON object under construction.
type object = map[string]any

// exampleOf is a fresh copy of one of GitHub's example values, to build an answer on:
// it has every field that a schema requires.
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
