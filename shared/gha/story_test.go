package gha_test

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// The words of stories must do what GitHub does, and what they make must be read as meant.
// These stories run no action: `read` writes what one would read of the event to the file $WORK/event,
// `say` and `start` say something of a commit and start a workflow as one would.
func TestWordsOfStories(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	params := fakerunner.Scripts{Root: root}.Params(filepath.Join("testdata", "script"))
	params.Cmds = maps.Clone(params.Cmds)
	params.Cmds["read"] = tellEvent
	params.Cmds["say"] = func(ts *testscript.TestScript, _ bool, args []string) {
		status := github.Status{Context: "terraform-gitops/plan", State: args[1], Description: args[2]}
		ts.Check(connect(ts).SetStatus(t.Context(), "acme/infrastructure", args[0], status))
	}
	params.Cmds["start"] = func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Check(connect(ts).StartWorkflow(t.Context(), "acme/infrastructure", args[0], args[1], map[string]string{"pull-request": args[2]}))
	}
	testscript.Run(t, params)
}

func connect(ts *testscript.TestScript) *github.Client {
	_, server := fakerunner.Of(ts)
	token := server.NewToken("github-actions[bot]", fakegithub.Permissions{"statuses": "write", "actions": "write"})
	client, err := github.New(server.URL(), token, github.WithPace(0))
	ts.Check(err)
	return client
}

func tellEvent(ts *testscript.TestScript, _ bool, _ []string) {
	runner, _ := fakerunner.Of(ts)
	step, err := runner.Step(nil)
	ts.Check(err)
	runtime := gha.New(step.Environ, io.Discard)
	event, err := runtime.Event()
	ts.Check(err)
	var payload struct{ Sender struct{ Login string } }
	_ = json.Unmarshal(runner.Payload, &payload)
	seen, err := json.MarshalIndent(map[string]any{
		"event": event, "sha": runtime.Context().SHA, "ref": runtime.Context().Ref, "actor": runtime.Context().Actor, "sender": payload.Sender.Login,
	}, "", "")
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(runner.Dir, "event"), append(seen, '\n'), 0o644))
}
