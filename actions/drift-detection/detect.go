// Command drift-detection is the drift-detection action. It keeps one GitHub issue for each drifted
// target, and updates the issues with the drift that the plan actions of this workflow run found.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// Inputs are the action's inputs; action.yml describes them.
type Inputs struct {
	repository.Inputs
	drift.Options
	Labels, Users, Teams []string
	All, DryRun          bool
}

// ReadInputs reads the action's inputs. Its error names each input that is missing or wrong.
func ReadInputs(r *gha.Runtime) (Inputs, error) {
	read := r.Inputs()
	in := Inputs{
		Inputs: repository.ReadRepositoryInputs(r, read),
		Options: drift.Options{
			MaxOpened:  read.Int("max-opened-issues", 10, -1, 10_000),
			CloseFixed: read.Bool("close-fixed", true),
			DiscardFor: time.Duration(read.Int("discard-for", 30, 0, 3650)) * 24 * time.Hour,
		},
		Labels: list(r.Input("labels")), Users: list(r.Input("assignee-users")), Teams: list(r.Input("assignee-teams")),
		All: read.Bool("process-all", true), DryRun: read.Bool("dry-run", false),
	}
	if err := read.Err(); err != nil {
		return Inputs{}, err
	}
	return in, in.Check()
}

// list splits a list of names at line breaks, spaces and commas.
func list(text string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' || r == '\t' || r == ' ' }),
		func(s string) bool { return s == "" })
}

// Run updates the drift issues with this run's drift results.
func Run(ctx context.Context, in Inputs, d action.Deps) (action.Result, error) {
	if in.Token == "" {
		return action.Result{}, problem.With(problem.GitHubPermission, errors.New("drift-detection needs a GitHub token: leave the input `token` out, and give the job `permissions: issues: write`"))
	}
	repository, err := repository.Open(ctx, d.Runtime, d.Environ, in.Inputs)
	if err != nil {
		return action.Result{}, err
	}
	store, err := repository.Store(ctx, d.Now)
	if err != nil {
		return action.Result{}, err
	}
	actx := repository.Context
	client, err := d.GitHub(in.Token)
	if err != nil {
		return action.Result{}, err
	}
	assignees, err := assignees(ctx, client, in, actx.Repository)
	if err != nil {
		return action.Result{}, err
	}
	reconciler := drift.Reconciler{
		Repository: actx.Repository, Run: planstore.Run{ID: actx.RunID, Attempt: actx.RunAttempt, URL: actx.RunURL},
		GitHub: client, Store: drift.In(store), Now: d.Now, Options: in.Options,
		Labels: in.Labels, Assignees: assignees, DryRun: in.DryRun,
	}
	if in.All {
		reconciler.InGit = func(ctx context.Context) (names []drift.Name, err error) {
			all, err := repository.Targets(ctx)
			for _, t := range all {
				names = append(names, drift.Name{Component: t.Component, Stack: t.Stack})
			}
			return names, err
		}
	}
	reconciled, err := reconciler.Reconcile(ctx)
	if err != nil {
		return action.Result{}, fmt.Errorf("update the drift issues of %s: %w", actx.Repository, err)
	}
	return report(d.Runtime, in, reconciled)
}

// assignees returns the users and the members of the teams.
func assignees(ctx context.Context, client *github.Client, in Inputs, repository string) ([]string, error) {
	all := slices.Clone(in.Users)
	owner, _, _ := strings.Cut(repository, "/")
	for _, team := range in.Teams {
		org, slug, ok := strings.Cut(team, "/")
		if !ok {
			org, slug = owner, team
		}
		members, err := client.TeamMembers(ctx, org, slug)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	return all, nil
}

// report returns the summary and outputs.
func report(r *gha.Runtime, in Inputs, reconciled drift.Reconciled) (action.Result, error) {
	count := map[string]int{"drifted": 0, "fixed": 0, "errored": 0, "created": 0, "updated": 0, "closed": 0, "skipped": 0}
	type issue struct {
		Component, Stack, Step string
		Number                 int    `json:",omitempty"`
		URL                    string `json:",omitempty"`
	}
	issues := []issue{}
	var failed []error
	for _, d := range reconciled.Done {
		switch d.Result.Outcome {
		case drift.Drifted:
			count["drifted"]++
		case drift.PlanFailed:
			count["errored"]++
		}
		if d.Err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", d.Name, d.Err))
			count["skipped"]++
		} else {
			switch d.Kind {
			case drift.Open:
				count["created"]++
			case drift.Update:
				count["updated"]++
			case drift.Fixed:
				count["fixed"]++
				count["closed"]++
			case drift.Removed, drift.Duplicate:
				count["closed"]++
			case drift.NoRoom, drift.Quiet, drift.Busy:
				count["skipped"]++
			}
		}
		issues = append(issues, issue{d.Name.Component, d.Name.Stack, string(d.Kind), d.Issue.Number, d.Issue.URL})
	}
	encoded, err := json.Marshal(issues)
	if err != nil {
		return action.Result{}, err
	}
	outputs := map[string]string{"issues": string(encoded), "ignored": strconv.Itoa(reconciled.Ignored.Differences())}
	for name, n := range count {
		outputs[name] = strconv.Itoa(n)
	}
	return action.Result{Summary: action.Redact(r, drift.Summary{Reconciled: reconciled, DryRun: in.DryRun, MaxOpened: in.MaxOpened, RunURL: r.Context().RunURL}).Markdown(), Outputs: outputs}, errors.Join(failed...)
}
