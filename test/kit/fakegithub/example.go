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

var examples = sync.OnceValues(func() (object, error) {
	var all object
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
	switch value := all[name].(type) {
	case object:
		return deepCopy(value).(object), nil
	case []any:
		if len(value) > 0 {
			return deepCopy(value[0]).(object), nil
		}
	}
	return nil, fmt.Errorf("GitHub's examples: no %s: add it to exampleNames, and run the tests with -update", name)
}

// deepCopy copies a value as encoding/json reads it. It is a tenth of the work of reading it again.
func deepCopy(value any) any {
	switch value := value.(type) {
	case object:
		c := make(object, len(value))
		for k, v := range value {
			c[k] = deepCopy(v)
		}
		return c
	case []any:
		c := make([]any, len(value))
		for i, v := range value {
			c[i] = deepCopy(v)
		}
		return c
	}
	return value
}
