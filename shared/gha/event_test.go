package gha_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
)

type published struct {
	Name     string            `json:"name"`
	Examples []json.RawMessage `json:"examples"`
}

// examples are the payloads that GitHub publishes.
var examples = sync.OnceValues(func() (events []published, err error) {
	path := filepath.Join("..", "..", "test", "npm", "node_modules", "@octokit", "webhooks-examples", "api.github.com", "index.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the published example payloads are missing, run `make tools`: %w", err)
	}
	return events, json.Unmarshal(text, &events)
})

// example returns a copy of the first published payload of an event, with that
// action if one is given.
func example(t *testing.T, event, action string) map[string]any {
	t.Helper()
	events, err := examples()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Name != event {
			continue
		}
		for _, text := range e.Examples {
			var payload map[string]any
			if err := json.Unmarshal(text, &payload); err != nil {
				t.Fatal(err)
			}
			if action == "" || payload["action"] == action {
				return payload
			}
		}
	}
	t.Fatalf("no example of %s %s", event, action)
	return nil
}

// asText returns a payload, which is JSON text or a value of it, as text.
func asText(t *testing.T, payload any) string {
	t.Helper()
	if text, ok := payload.(string); ok {
		return text
	}
	encoded, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// readEvent has the runtime read a payload.
func readEvent(t *testing.T, name string, payload any) (gha.Event, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(path, []byte(asText(t, payload)), 0o600); err != nil {
		t.Fatal(err)
	}
	return gha.New([]string{"GITHUB_EVENT_NAME=" + name, "GITHUB_EVENT_PATH=" + path}, io.Discard).Event()
}

func TestEventsAsGitHubSendsThem(t *testing.T) {
	t.Parallel()
	pull := func(action, mergeCommit, label string, labels ...string) gha.Event {
		return gha.Event{
			Name: "pull_request", DefaultBranch: "master",
			PullRequest: &gha.PullRequest{
				Action: action, Number: 2, Title: "Update the README with new information.", Author: "Codertocat",
				Label: label, Labels: labels, MergeCommitSHA: mergeCommit,
				Head: gha.Branch{SHA: "ec26c3e57ca3a959ca5aad62de7213c562f8c821", Ref: "changes"},
				Base: gha.Branch{SHA: "f95f852bd8fca8fcc58a9a2d6c842781e32a215e", Ref: "master"},
			},
		}
	}
	for name, test := range map[string]struct {
		event, action string
		want          gha.Event
	}{
		"opened":   {"pull_request", "opened", pull("opened", "", "")},
		"closed":   {"pull_request", "closed", pull("closed", "c4295bd74fb0f4fda03689c3df3f2803b658fd85", "", "bug")},
		"labelled": {"pull_request", "labeled", pull("labeled", "c4295bd74fb0f4fda03689c3df3f2803b658fd85", "bug", "bug")},
		"push": {"push", "", gha.Event{
			Name: "push", DefaultBranch: "master",
			Push: &gha.Push{
				Before: strings.Repeat("0", 40),
			},
		}},
		"merge queue": {"merge_group", "", gha.Event{
			Name: "merge_group", DefaultBranch: "main",
			MergeGroup: &gha.MergeGroup{
				HeadSHA:     "2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d",
				BaseSHA:     "380387fbc80638b734a49e1be1c4dfec1c01b33c",
				HeadRef:     "refs/heads/gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64",
				PullRequest: 104,
			},
		}},
		"labelled issue": {"issues", "labeled", gha.Event{
			Name: "issues", DefaultBranch: "master",
			Issue: &gha.Issue{Action: "labeled", Number: 1, Label: "bug", Sender: "Codertocat"},
		}},
		"issue": {"issues", "opened", gha.Event{
			Name: "issues", DefaultBranch: "master",
			Issue: &gha.Issue{Action: "opened", Number: 1, Sender: "Codertocat"},
		}},
		"by hand": {"workflow_dispatch", "", gha.Event{Name: "workflow_dispatch", DefaultBranch: "main", Inputs: map[string]string{}}},
		"by a program": {"repository_dispatch", "", gha.Event{
			Name: "repository_dispatch", DefaultBranch: "master",
			RepositoryDispatch: &gha.RepositoryDispatch{},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload := example(t, test.event, test.action)
			got, err := readEvent(t, test.event, payload)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPullRequestFromAForkIsSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(head map[string]any)
		fork   bool
	}{
		"same repository":   {func(map[string]any) {}, false},
		"another one":       {func(head map[string]any) { head["repo"] = map[string]any{"id": 1, "full_name": "evil/Hello-World"} }, true},
		"another ID":        {func(head map[string]any) { head["repo"].(map[string]any)["id"] = 1 }, true},
		"another name":      {func(head map[string]any) { head["repo"].(map[string]any)["full_name"] = "a/b" }, true},
		"a repository gone": {func(head map[string]any) { head["repo"] = nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payload := example(t, "pull_request", "opened")
			test.change(payload["pull_request"].(map[string]any)["head"].(map[string]any))
			event, err := readEvent(t, "pull_request", payload)
			if err != nil {
				t.Fatal(err)
			}
			if event.PullRequest.Fork != test.fork {
				t.Errorf("fork: %t", event.PullRequest.Fork)
			}
		})
	}
}

func TestAMergedPullRequest(t *testing.T) {
	t.Parallel()
	payload := example(t, "pull_request", "closed")
	pull := payload["pull_request"].(map[string]any)
	pull["merged"], pull["user"] = true, nil // the account is gone
	event, err := readEvent(t, "pull_request", payload)
	if err != nil {
		t.Fatal(err)
	}
	if !event.PullRequest.Merged || event.PullRequest.Author != "" {
		t.Errorf("got %+v", event.PullRequest)
	}
}

func TestDispatchInputsOfEveryType(t *testing.T) {
	t.Parallel()
	payload := example(t, "workflow_dispatch", "")
	payload["inputs"] = map[string]any{"sha": "abc", "debug": true, "days": 3, "none": nil}
	event, err := readEvent(t, "workflow_dispatch", payload)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"sha": "abc", "debug": "true", "days": "3", "none": ""}, event.Inputs); diff != "" {
		t.Error(diff)
	}
}

// GitHub publishes no payload of this one: it comes from no webhook.
func TestAScheduleIsAnEventOfItsNameAlone(t *testing.T) {
	t.Parallel()
	for payload, branch := range map[string]string{
		`{"schedule":"0 6 * * *"}`: "",
		`{"schedule":"0 6 * * *","repository":{"default_branch":"trunk"},"workflow":".github/workflows/drift.yml"}`: "trunk",
	} {
		event, err := readEvent(t, "schedule", payload)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(gha.Event{Name: "schedule", DefaultBranch: branch}, event); diff != "" {
			t.Error(diff)
		}
	}
}

func TestThePullRequestOfAMergeQueuesBranch(t *testing.T) {
	t.Parallel()
	sha := strings.Repeat("1a", 20)
	for ref, want := range map[string]int{
		"refs/heads/gh-readonly-queue/main/pr-7-" + sha:                    7,
		"refs/heads/gh-readonly-queue/release/2026/pr-41-" + sha:           41,
		"refs/heads/gh-readonly-queue/pr-1-a/pr-12-" + sha:                 12,
		"refs/heads/gh-readonly-queue/main/pr-7-":                          0,
		"refs/heads/gh-readonly-queue/main/pr-x-" + sha:                    0,
		"refs/heads/main/pr-7-" + sha:                                      0,
		"refs/heads/x/gh-readonly-queue/main/pr-7-" + sha:                  0,
		"refs/heads/gh-readonly-queue/main/pr-99999999999999999999-" + sha: 0,
		"": 0,
	} {
		payload := example(t, "merge_group", "")
		payload["merge_group"].(map[string]any)["head_ref"] = ref
		event, err := readEvent(t, "merge_group", payload)
		if err != nil {
			t.Fatal(err)
		}
		if event.MergeGroup.PullRequest != want {
			t.Errorf("%s: pull request %d, want %d", ref, event.MergeGroup.PullRequest, want)
		}
	}
}

func TestADispatchedPayloadMayHoldAnything(t *testing.T) {
	t.Parallel()
	for client, want := range map[string]gha.RepositoryDispatch{
		`{"pull_request":7,"head_sha":"4f1c","reason":"x"}`: {PullRequest: 7},
		`{"pull_request":"7","head_sha":"4f1c"}`:            {PullRequest: 7},
		`{"pull_request":7}`:                                {PullRequest: 7},
		`{"pull_request":-7,"head_sha":1}`:                  {},
		`{"pull_request":7.5,"head_sha":null}`:              {},
		`{"pull_request":{"number":7},"head_sha":["4f1c"]}`: {},
		`{"pull_request":"99999999999999999999"}`:           {},
		`[7]`:  {},
		`null`: {},
	} {
		payload := example(t, "repository_dispatch", "")
		payload["action"], payload["client_payload"] = "terraform-gitops-plan", json.RawMessage(client)
		event, err := readEvent(t, "repository_dispatch", payload)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&want, event.RepositoryDispatch); diff != "" {
			t.Errorf("%s: %s", client, diff)
		}
	}
}

func TestEventThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ event, payload, want string }{
		"no JSON":         {"push", `{"ref":`, "unexpected end of JSON input"},
		"wrong type":      {"push", `{"before":1}`, "cannot unmarshal number"},
		"no pull request": {"pull_request", `{}`, "the payload of a pull_request event has no pull_request"},
		"no issue":        {"issues", `{}`, "the payload of an issues event has no issue"},
		"no merge group":  {"merge_group", `{}`, "the payload of a merge_group event has no merge_group"},
		"too large":       {"push", strings.Repeat(" ", 32<<20+1), "has more than 33554432 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readEvent(t, test.event, test.payload)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
	if _, err := gha.New(nil, io.Discard).Event(); err == nil || !strings.Contains(err.Error(), "GITHUB_EVENT_PATH is not set") {
		t.Errorf("without a payload: got error %v", err)
	}
}
