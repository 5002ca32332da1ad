package workflow

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// file is the part of a workflow's file that the tests read.
type file struct {
	On          map[string]any
	Permissions map[string]string
	Jobs        map[string]fileJob
}

type fileJob struct {
	Uses        string
	With        map[string]any
	Environment string
	Permissions map[string]string // nil: those of the workflow's caller
	Outputs     map[string]string
	Steps       []struct {
		ID, Uses string
		With     map[string]any
	}
}

func readWorkflow(t *testing.T, path string) file {
	t.Helper()
	content, err := os.ReadFile(path)
	var f file
	if err == nil {
		err = yaml.Unmarshal(content, &f)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

// called returns the file of the reusable workflow that a job calls.
func (j fileJob) called() string {
	path, _, _ := strings.Cut(strings.TrimPrefix(j.Uses, "terraform-gitops/gitops/"), "@")
	return path
}

// environmentsOf returns the environments that a job of the called workflow may have. One without
// any has an empty one.
func (tm *team) environmentsOf(caller, called fileJob) []string {
	switch called.Environment {
	case "${{ needs.find.outputs.environment }}": // no test has another one for an issue
		return []string{fmt.Sprint(caller.With["environment"])}
	case "${{ matrix.environment }}":
		return append([]string{fmt.Sprint(caller.With["environment"])}, tm.environments...)
	}
	return []string{called.Environment}
}

// subject returns the subject of the ID tokens of a job.
// https://docs.github.com/actions/reference/security/oidc#example-subject-claims
func subject(environment, event, ref string) string {
	switch {
	case environment != "":
		return "repo:" + name + ":environment:" + environment
	case event == "pull_request":
		return "repo:" + name + ":pull_request"
	default:
		return "repo:" + name + ":ref:" + ref
	}
}

// ofAPI returns permissions under the names of GitHub's API.
func ofAPI(permissions map[string]string) fakegithub.Permissions {
	named := fakegithub.Permissions{}
	for name, level := range permissions {
		named[strings.ReplaceAll(name, "-", "_")] = level
	}
	return named
}

// wantTrigger checks that a workflow runs on an event and its action. act doesn't check that.
func wantTrigger(t *testing.T, path, event, action string) {
	t.Helper()
	trigger, ok := readWorkflow(t, path).On[event]
	types := []any{"opened", "synchronize", "reopened"} // of pull_request
	if event == "merge_group" {
		types = []any{"checks_requested"}
	}
	if filter, _ := trigger.(map[string]any); filter["types"] != nil {
		types, _ = filter["types"].([]any)
	}
	if !ok || action != "" && !slices.Contains(types, any(action)) {
		t.Fatalf("%s does not run on %s %s", filepath.Base(path), event, action)
	}
}

var checkoutAction = regexp.MustCompile(`actions/checkout@[0-9a-f]{40}`)

// checkouts returns the versions of actions/checkout that the reusable workflows use.
func checkouts(t *testing.T) []string {
	t.Helper()
	used := map[string]bool{}
	for _, file := range glob(t, ".github/workflows/*.yml") {
		for _, uses := range checkoutAction.FindAllString(read(t, file), -1) {
			used[uses] = true
		}
	}
	return slices.Sorted(maps.Keys(used))
}
