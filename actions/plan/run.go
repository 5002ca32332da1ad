package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/fleet"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/report"
)

// planned collects the values of the outputs for all targets.
type planned struct {
	fleet.Tally

	mu       sync.Mutex
	counts   changes.Counts
	changed  int
	compared int // drift plans that succeeded
	drifted  int
	ignored  int           // differences
	policy   policy.Result // the worst one; empty: there are no policies
	stored   []planstore.Target
	checks   checks
	only     plan.Outcome // the outcome that was added last
}

// planAll plans the chosen targets concurrently.
func (s *session) planAll(ctx context.Context) (result action.Result, err error) {
	meant, err := s.choose(ctx)
	if err != nil {
		return action.Result{}, err
	}
	if err := s.look(ctx); err != nil {
		return action.Result{}, err
	}
	nodes, err := meant.nodes()
	if err != nil {
		return action.Result{}, err
	}
	f := &planned{checks: checks{}}
	f.Runtime = s.Runtime
	f.Summary = report.NewMany(s.context.TempDir, report.Plans, report.Subject{
		Commit: s.commit, BaseCommit: s.pull.Base, PullRequest: s.pull.Number, Draft: s.draft, Actor: s.context.Actor, RunURL: s.context.RunURL, CreatedAt: s.Now(),
	})
	defer func() { err = errors.Join(err, f.Summary.Close()) }()
	f.Summary.Uncovered = meant.uncovered
	for _, folder := range meant.uncovered {
		s.warnOfUncovered(folder)
	}
	f.Summary.Policies = meant.policies
	s.warnOfPolicies(meant.policies)
	s.warnOfForgotten(meant.changes)
	for _, c := range meant.changes {
		switch {
		case c.Deleted: // see below
		case c.Outside:
			f.AddOutside(c.Name)
		case c.Skip != "":
			f.AddSkipped(c.Name, c.Skip)
		case c.Err != nil:
			failed := plan.Outcome{Name: c.Name, Decision: plan.NotPlanned, Err: c.Err}
			f.checks.add(failed)
			f.AddPlan(failed)
		case s.MatrixOnly:
			f.AddSelected(c.Name, c.Why)
		}
	}
	for _, l := range s.left(ctx, meant.changes) {
		f.AddLeft(l)
	}
	if !s.MatrixOnly {
		if len(nodes) > 1 {
			done, err := s.repository.SharePlugins()
			if err != nil {
				return action.Result{}, err
			}
			defer func() { err = errors.Join(err, done()) }()
		}
		options := s.options(meant.names)
		options.Inputs.Share = len(nodes) > 1
		fleet.Run(ctx, nodes, s.Parallelism, s.Signals, func(ctx context.Context, n inventory.Node, _ []inventory.Name, signals <-chan os.Signal) bool {
			o := options
			o.Signals = signals
			outcome := plan.Run(ctx, n.Name, o)
			outcome.Trouble = errors.Join(outcome.Trouble, f.PutDriftResult(ctx, outcome))
			f.gather(outcome)
			f.AddPlan(outcome)
			return true
		})
	}
	return s.end(ctx, f, meant.names)
}

// options returns the options for all targets that this run plans.
func (s *session) options(names []inventory.Name) plan.Options {
	o := plan.Options{
		Repository: s.repository, Inputs: s.Inputs.Inputs, Pulls: s.pulls,
		Commit: s.commit, Checkout: s.checkout, Pull: s.pull,
		Drift: s.Drift, RefreshOnly: s.RefreshOnly, KeepFiles: s.KeepFiles, Lock: s.Lock,
		Retention: time.Duration(s.RetentionDays) * 24 * time.Hour,
		Positions: plan.NewPositions(names), Facts: s.facts(), Before: &plan.Before{},
		Runtime: s.Runtime, Environ: s.Environ, Now: s.Now,
	}
	if s.Store {
		o.Store = func(ctx context.Context, settings inventory.Effective) (*planstore.Store, error) {
			return s.repository.StoreOf(ctx, settings, s.storageRole(settings), s.Now)
		}
	}
	return o
}

func (f *planned) gather(o plan.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.checks.add(o)
	f.counts = f.counts.Plus(o.Record.Counts)
	if o.HasChanges() {
		f.changed++
	}
	if o.Changes != nil && o.Err == nil {
		f.compared++
	}
	if o.Drifted() {
		f.drifted++
	}
	if o.Changes != nil {
		f.ignored += o.Changes.Ignored.Differences()
	}
	if v := o.Rules.Policy; v != nil && worse(v.Result, f.policy) {
		f.policy = v.Result
	}
	if o.Stored {
		f.stored = append(f.stored, o.Record.Target)
	}
	f.only = o
}

// worse reports whether a result of policies is worse than another one.
func worse(a, b policy.Result) bool {
	order := []policy.Result{"", policy.Passed, policy.Warned, policy.Denied}
	return slices.Index(order, a) > slices.Index(order, b)
}

// end returns the summary and the outputs of all targets.
func (s *session) end(ctx context.Context, f *planned, names []inventory.Name) (action.Result, error) {
	outputs, err := outputsOf(names)
	if err != nil {
		return action.Result{}, err
	}
	if outputs["discovered"], err = s.repository.Discovered(ctx); err != nil {
		return action.Result{}, err
	}
	outputs["policy"] = string(f.policy)
	outputs["has-changes"] = strconv.FormatBool(f.changed > 0)
	countOutputs(outputs, f.counts)
	if s.Drift && f.compared > 0 {
		outputs["drifted"], outputs["ignored"] = strconv.FormatBool(f.drifted > 0), strconv.Itoa(f.ignored)
	}
	if len(names) == 1 {
		outputs["digest"] = f.only.Record.Digest
		if f.only.Stored {
			outputs["plan-record"] = f.only.Record.ID()
		}
		if f.only.Planfile != "" {
			outputs["plan_file"], outputs["plan_json"] = f.only.Planfile, f.only.JSON
		}
	}
	// A cancelled run leaves the comment as it is; a named target that is skipped has none.
	skipped := s.Component != "" && f.only.Decision == plan.Skipped
	if s.Comment && s.pull.Number > 0 && !s.MatrixOnly && !skipped && ctx.Err() == nil {
		f.Trouble(s.comment(ctx, f))
	}
	if ctx.Err() == nil {
		s.setChecks(ctx, f)
	}
	format := "planning failed for %s: %s"
	if all := f.checks[""]; all != nil && all.failed == 0 && all.denied > 0 {
		format = "policies deny the plan for %s: %s"
	}
	return f.End(format, outputs)
}

// outputsOf returns the outputs of a run that has planned none of these targets yet.
func outputsOf(names []inventory.Name) (map[string]string, error) {
	matrix, err := inventory.Matrix(names)
	out := map[string]string{"count": strconv.Itoa(len(names)), "matrix": matrix, "discovered": "", "has-changes": "false", "digest": "", "policy": ""}
	countOutputs(out, changes.Counts{})
	return out, err
}

func countOutputs(out map[string]string, n changes.Counts) {
	out["adds"] = strconv.Itoa(n.Adds())
	out["changes"] = strconv.Itoa(n.Changes())
	out["destroys"] = strconv.Itoa(n.Destroys())
	out["imports"] = strconv.Itoa(n.Import)
	out["moves"] = strconv.Itoa(n.Move)
	out["invocations"] = strconv.Itoa(n.Invoke)
}

// comment keeps one comment on the pull request, which it finds by a key. Jobs that plan one named
// target each have a comment of their own.
func (s *session) comment(ctx context.Context, f *planned) error {
	key := "gitops plan of many"
	if s.Component != "" {
		// Names may contain spaces, so they are quoted.
		key = fmt.Sprintf("gitops plan %q %q", s.Component, s.Stack)
	}
	markdown, err := f.Summary.Markdown(github.CommentRoom(key))
	if err != nil {
		return err
	}
	client, err := s.repository.GitHub()
	if err != nil {
		return err
	}
	err = client.StickyComment(ctx, s.context.Repository, s.pull.Number, key, markdown)
	if errors.Is(err, github.ErrLocked) { // a person's choice, and the plan is stored
		s.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("The summary is not on pull request #%d: %v.", s.pull.Number, err)})
		return nil
	}
	return err
}
