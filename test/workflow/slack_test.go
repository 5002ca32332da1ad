package workflow

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// Runs the workflows of docs/workflows.md, which post what the reusable workflows' outputs say.
func TestOutputsOfTheWorkflowsArePostedToSlack(t *testing.T) {
	t.Parallel()
	posts := make(chan string, 1)
	slack := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
			t.Errorf("what is posted is no JSON: %v", err)
		}
		posts <- message.Text
	}))
	t.Cleanup(slack.Close)
	tm := newTeam(t)
	tm.secrets = map[string]string{"SLACK_WEBHOOK_URL": slack.URL}
	for _, workflow := range fencedWorkflows(t, "docs/workflows.md") {
		name, _, _ := strings.Cut(strings.TrimPrefix(workflow, "name: "), "\n")
		if err := os.WriteFile(tm.path("repository", ".github", "workflows", name+".yml"), []byte(workflow), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tm.commit("Tell everybody")
	wantPost := func(want string) {
		t.Helper()
		select {
		case got := <-posts:
			if !strings.HasPrefix(got, want) {
				t.Errorf("posted %q, want %q", got, want)
			}
		default:
			t.Errorf("nothing was posted, want %q", want)
		}
	}

	pr := tm.open("new-range", "0.0/16", "64.0/18", "components/network/acme-ue2-dev.tfvars", "components/network/acme-ue2-prod.tfvars")
	tm.pullRequestEvent(pr, "opened", false).job("plan").want("success", "to add") // and nothing to destroy: no post
	tm.merge(pr)
	tm.pushEvent(pr).job("slack").want("success", "")
	wantPost("Apply in acme/infrastructure: succeeded, 2 targets: https://github.com/acme/infrastructure/actions/runs/1002")

	drift := tm.event("drift", "schedule", "", map[string]any{})
	drift.job("detect").want("success", "2 drifted")
	wantPost("Drift in acme/infrastructure: 2 targets drifted, 0 could not be planned; 2 issues opened, 0 closed: https://")

	smaller := tm.open("fewer-subnets", "count = 2", "count = 1", "components/network/main.tf")
	tm.pullRequestEvent(smaller, "opened", false).job("slack").want("success", "")
	wantPost("Pull request 4 would destroy 2 resources, in 2 targets: https://")
}
