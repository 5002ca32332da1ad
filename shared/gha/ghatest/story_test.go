package ghatest

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
	"github.com/terraform-gitops/gitops/shared/github/githubtest"
)

// The words of stories must do what GitHub does, and what they make must be read as meant.
// These stories run no action: `read` writes what one would read of the event to the file $WORK/event,
// `say` and `start` say something of a commit and start a workflow as one would.
func TestWordsOfStories(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	params := Scripts{Root: root}.Params(filepath.Join("testdata", "script"))
	params.Cmds = maps.Clone(commands)
	params.Cmds["read"] = word(0, 0, readEvent)
	params.Cmds["say"] = word(3, 3, func(ts *testscript.TestScript, s *story, args []string) {
		status := github.Status{Context: "terraform-gitops/plan", State: args[1], Description: args[2]}
		ts.Check(connect(ts, s).SetStatus(t.Context(), repository, args[0], status))
	})
	params.Cmds["start"] = word(3, 3, func(ts *testscript.TestScript, s *story, args []string) {
		ts.Check(connect(ts, s).StartWorkflow(t.Context(), repository, args[0], args[1], map[string]string{"pull-request": args[2]}))
	})
	testscript.Run(t, params)
}

func connect(ts *testscript.TestScript, s *story) *github.Client {
	token := s.github.NewToken(bot, githubtest.Permissions{"statuses": "write", "actions": "write"})
	client, err := github.New(s.github.URL(), token, github.WithPace(0))
	ts.Check(err)
	return client
}

func readEvent(ts *testscript.TestScript, s *story, _ []string) {
	step, err := s.runner.Step(nil)
	ts.Check(err)
	runtime := gha.New(step.Environ, io.Discard)
	event, err := runtime.Event()
	ts.Check(err)
	var payload struct{ Sender struct{ Login string } }
	_ = json.Unmarshal(s.runner.Payload, &payload)
	seen, err := json.MarshalIndent(map[string]any{
		"event": event, "sha": runtime.Context().SHA, "ref": runtime.Context().Ref, "actor": runtime.Context().Actor, "sender": payload.Sender.Login,
	}, "", "")
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(s.runner.Dir, "event"), append(seen, '\n'), 0o644))
}
