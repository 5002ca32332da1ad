package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
)

// maxSteps is how many jobs after each other the apply workflow has.
const maxSteps = 4

// maxTargets limits the value for the input `targets`, in bytes. The runner gives inputs to a step as
// environment variables, and Linux starts no process with one of 128 KiB.
// https://man7.org/linux/man-pages/man2/execve.2.html#NOTES
const maxTargets = 100 << 10

// job is an entry of a job's strategy.matrix: what is applied under one environment.
type job struct {
	Environment string `json:"environment"`
	Targets     string `json:"targets"` // the value for the input `targets`; empty: the job chooses the same ones
	Digest      string `json:"digest"`  // the value for the input `expected-digest`
	Count       int    `json:"count"`
}

// environments returns the output `environments`: a JSON list of the values for strategy.matrix of
// jobs that run one after the other. Environments without anything to apply have no job.
func (f *run) environments(nodes []inventory.Node) (string, error) {
	steps := []map[string][]job{}
	var order []string
	for _, step := range inventory.Approvals(nodes, f.environment) {
		var jobs []job
		for _, a := range step {
			changes := false
			for _, n := range a.Targets {
				changes = changes || f.changes[n]
			}
			if !changes {
				continue
			}
			if err := action.Readable(f.Runtime, a.Environment); err != nil {
				return "", err
			}
			targets, err := inventory.FormatTargets(a.Targets)
			if err != nil {
				return "", err
			}
			if len(targets) > maxTargets {
				// The digest says that they are the same.
				if len(a.Targets) < len(nodes) || !f.Selection.Empty() || len(f.Inputs.Targets) > 0 {
					return "", problem.With(problem.Targets, fmt.Errorf("the environment %q has %d targets, whose names are too long for one job: apply a part of them, chosen by `components` or `stacks`, by the workflow plan-merged", a.Environment, len(a.Targets)))
				}
				targets = ""
			}
			j := job{a.Environment, targets, f.digest(a.Targets), len(a.Targets)}
			jobs = append(jobs, j)
			if a.Environment != "" {
				f.Summary.Approvals = append(f.Summary.Approvals, report.Approval{Environment: a.Environment, Step: len(steps), Targets: j.Count, Digest: j.Digest})
			}
			order = append(order, a.Environment)
		}
		if len(jobs) > 0 {
			steps = append(steps, map[string][]job{"include": jobs})
		}
	}
	if len(steps) > maxSteps {
		return "", problem.With(problem.Targets, fmt.Errorf("the targets have to be applied in %d steps, since their environments depend on each other (%s), and a run applies at most %d: apply the first ones alone, by the workflow plan-merged", len(steps), strings.Join(order, ", "), maxSteps))
	}
	text, err := json.Marshal(steps)
	return string(text), err
}

// environment returns the GitHub environment in which a target is applied.
func (f *run) environment(n inventory.Name) string {
	if s := f.settings[n].Environment; s != "" {
		return s
	}
	return f.Environment
}

// checkEnvironments refuses targets that are to be applied under another environment than the job's:
// its reviewers may not be asked.
func (f *run) checkEnvironments() error {
	for _, n := range f.nodes {
		if other := f.settings[n.Name].Environment; f.Environment != "" && other != "" && !strings.EqualFold(other, f.Environment) {
			return problem.With(problem.Input, fmt.Errorf("%s is applied under the environment %q, and this job's is %q (input `environment`): have a job for each entry of the dry run's output `environments`", n.Name, other, f.Environment))
		}
	}
	return nil
}
