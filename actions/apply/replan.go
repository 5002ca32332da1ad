package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// parseReplan reads the input `replan`. It returns nil if nothing has to be planned again.
func parseReplan(text string) (numbers []int, err error) {
	switch text {
	case "", "false":
		return nil, nil
	case "true":
		return nil, problem.With(problem.Input, errors.New("input `replan` is true, but it is a list now: give the output `superseded` of the apply, in a separate job that runs no Terraform: see examples/apply.yml"))
	}
	if err := json.Unmarshal([]byte(text), &numbers); err != nil || numbers == nil || slices.ContainsFunc(numbers, func(n int) bool { return n < 1 }) {
		return nil, problem.With(problem.Input, fmt.Errorf("input `replan` is %.100q: give a JSON list of numbers of pull requests, as the output `superseded` is", text))
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}

// planAgain starts the plan workflow for pull requests, each on its own branch. It doesn't run
// Terraform, read the workspace, or ask for an ID token. So a job without any code of a plan can
// have the permission to start workflows.
func planAgain(ctx context.Context, in Inputs, d action.Deps) (action.Result, error) {
	event, err := d.Runtime.Event()
	if err != nil {
		return action.Result{Outputs: map[string]string{"status": "failed", "outputs": "{}"}}, err
	}
	actx := d.Runtime.Context()
	client := func() (*github.Client, error) { return d.GitHub(in.Token) }
	started, err := pulls.New(client, actx.Repository).PlanAgain(ctx, in.Replan, in.PlanWorkflow, event.DefaultBranch)
	said := "No pull request is planned again"
	if len(started) > 0 {
		var names []string
		for _, n := range started {
			names = append(names, fmt.Sprintf("#%d", n))
		}
		said = "Planned again: " + strings.Join(names, ", ")
	}
	d.Runtime.Notice(gha.Annotation{Message: said + "."})
	result := action.Result{Summary: "🔁 " + markdown.Text(said) + ".\n", Outputs: map[string]string{"status": "succeeded", "outputs": "{}"}}
	if err != nil {
		result.Outputs["status"] = "failed"
	}
	return result, err
}
