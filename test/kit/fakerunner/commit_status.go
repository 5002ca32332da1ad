package fakerunner

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Words about commit statuses that actions set, and about events that they send.

func checkStatus(ts *testscript.TestScript, s *story, args []string) {
	commit := s.git(ts, "rev-parse", args[0])
	state, text := "none", ""
	for _, status := range slices.Backward(s.github.Repository(repository).Statuses()) {
		if status.Commit == commit && strings.EqualFold(status.Context, args[1]) {
			state, text = status.State, status.Description
			break
		}
	}
	if state != args[2] || len(args) == 4 && !strings.Contains(text, args[3]) {
		ts.Fatalf("status %s of %s is %s: %s", args[1], commit, state, text)
	}
}

func checkDispatches(ts *testscript.TestScript, s *story, args []string) {
	sent := s.github.Repository(repository).Dispatches()
	var all []string
	for _, d := range sent {
		inputs, err := json.Marshal(d.Inputs)
		ts.Check(err)
		all = append(all, d.Workflow+" "+d.Ref+" "+string(inputs))
	}
	text := strings.Join(all, "\n")
	if len(sent) != number(ts, args[0]) || len(args) == 2 && !strings.Contains(text, args[1]) {
		ts.Fatalf("%d workflows were started:\n%s", len(sent), text)
	}
}

func dispatched(ts *testscript.TestScript, s *story, _ []string) {
	sent := s.github.Repository(repository).Dispatches()
	if len(sent) == s.dispatches {
		ts.Fatalf("no workflow was started that the story has not seen; %d were in all", len(sent))
	}
	d := sent[s.dispatches]
	s.dispatches++
	s.event(ts, "workflow_dispatch")
	s.runner.Actor = d.Sender
	s.editPayload(ts, map[string]any{"ref": d.Ref, "inputs": d.Inputs, "sender.login": d.Sender})
	s.runOn(ts, d.Ref)
}
