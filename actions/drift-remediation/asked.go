package main

import (
	"errors"
	"strings"

	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Action is what a person wants to do about a drift issue.
type Action string

// The choices of the input `action`.
const (
	Remediate Action = "remediate"
	Discard   Action = "discard"
)

// asked returns the action and the issue that it is for. The action is empty if the event asks for
// nothing. Inputs have precedence over the event.
func asked(in Inputs, event gha.Event) (action Action, issue int, err error) {
	action, issue = in.Action, in.Issue
	if e := event.Issue; e != nil {
		if issue == 0 {
			issue = e.Number
		}
		if action == "" {
			switch {
			case e.Action == "labeled" && strings.EqualFold(e.Label, drift.LabelApply):
				action = Remediate
			case e.Action == "closed":
				action = Discard
			}
		}
		return action, issue, nil
	}
	if action == "" || issue == 0 {
		return "", 0, problem.With(problem.Event, errors.New("no issue is given: run drift-remediation on the event issues (labeled, closed), or give the inputs `issue-number` and `action`"))
	}
	return action, issue, nil
}
