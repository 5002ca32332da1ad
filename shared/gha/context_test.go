package gha_test

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
)

func TestContext(t *testing.T) {
	t.Parallel()
	got := gha.New([]string{
		"GITHUB_REPOSITORY=acme/infra", "GITHUB_RUN_ID=30433642", "GITHUB_RUN_ATTEMPT=2",
		"GITHUB_ACTOR=octocat", "GITHUB_TRIGGERING_ACTOR=hubot",
		"GITHUB_WORKSPACE=/w", "RUNNER_TEMP=/t", "RUNNER_TOOL_CACHE=/c", "GITHUB_SHA=abc", "GITHUB_REF=refs/heads/main",
		"GITHUB_EVENT_NAME=push", "GITHUB_SERVER_URL=https://github.example", "GITHUB_API_URL=https://api.github.example",
	}, io.Discard).Context()
	want := gha.Context{
		Repository: "acme/infra", RunID: "30433642", RunAttempt: 2,
		RunURL: "https://github.example/acme/infra/actions/runs/30433642/attempts/2",
		Actor:  "octocat", TriggeringActor: "hubot",
		Workspace: "/w", TempDir: "/t", ToolCache: "/c", SHA: "abc", Ref: "refs/heads/main",
		EventName: "push", ServerURL: "https://github.example", APIURL: "https://api.github.example",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(gha.Context{}, gha.New(nil, io.Discard).Context()); diff != "" {
		t.Error(diff)
	}
}
