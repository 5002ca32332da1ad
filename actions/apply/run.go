package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/fleet"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
)

// run applies the chosen targets.
type run struct {
	*merge
	fleet.Tally

	mu       sync.Mutex
	plans    map[inventory.Name]found
	settings map[inventory.Name]inventory.Effective
	nodes    []inventory.Node
	applied  []found
	skipped  int
	changes  map[inventory.Name]bool                          // plans with something to apply
	later    map[inventory.Name]bool                          // to be planned and applied in a later run
	outputs  map[string]map[string]map[string]json.RawMessage // by stack, component and name
}

// found is the plan that was found for a target.
type found struct {
	store  *planstore.Store
	stored planstore.Stored
	err    error // why there is none, or why it is refused
}

// applyAll applies the plans of all chosen targets: concurrently, but dependencies first.
func (m *merge) applyAll(ctx context.Context) (result action.Result, err error) {
	defer func() {
		switch {
		case err == nil:
		case result.Outputs == nil: // it failed before it reached a target
			result = failed(m.Runtime, m.Inputs, err)
		default:
			result.Outputs["status"] = "failed"
		}
	}()
	meant, err := m.choose(ctx)
	if err != nil {
		return action.Result{}, err
	}
	nodes, err := inventory.Order(meant.names, meant.depends)
	if err != nil {
		return action.Result{}, err
	}
	f := &run{merge: m, settings: meant.settings, nodes: nodes, changes: map[inventory.Name]bool{}, later: map[inventory.Name]bool{}, outputs: map[string]map[string]map[string]json.RawMessage{}}
	f.Tally.Runtime = m.Runtime
	if f.plans, err = m.findAll(ctx, meant); err != nil {
		return action.Result{}, err
	}
	kind := report.WouldApply
	if !m.DryRun {
		kind = report.Applies
		if err := f.checkEnvironments(); err != nil {
			return action.Result{}, err
		}
	}
	f.Summary = report.NewMany(m.context.TempDir, kind, report.Subject{Commit: m.commit, Actor: m.context.Actor, RunURL: m.context.RunURL})
	if m.Component == "" {
		f.Summary.CombinedDigest = f.digest(meant.names)
		if err := m.checkExpected(f.Summary.CombinedDigest); err != nil {
			for _, n := range nodes { // a plan that could not be found explains it better
				if unknown := f.plans[n.Name]; unknown.err != nil && unknown.stored.Record.Commit == "" {
					return action.Result{}, unknown.err
				}
			}
			return action.Result{}, m.refuse(err, adviceOnDigest)
		}
	}
	defer func() { err = errors.Join(err, f.Summary.Close()) }()
	for _, l := range meant.left {
		f.AddLeft(l)
	}
	if len(nodes) > 1 {
		done, err := m.repository.SharePlugins()
		if err != nil {
			return action.Result{}, err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	fleet.Run(ctx, nodes, m.Parallelism, m.Signals, f.target)
	return f.end(ctx)
}

// lookups is the number of plans that are looked up at once.
const lookups = 16

// findAll finds the plans of the targets whose settings are known.
func (m *merge) findAll(ctx context.Context, meant chosen) (map[inventory.Name]found, error) {
	plans := make(map[inventory.Name]found, len(meant.names))
	if meant.settings == nil {
		return plans, nil
	}
	var mu sync.Mutex
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(lookups)
	for _, n := range meant.names {
		all.Go(func() error {
			f := found{err: fmt.Errorf("%s: %w in the merged commit", n, inventory.ErrUnknownTarget)}
			if s, ok := meant.settings[n]; ok {
				f = m.find(ctx, n, s)
			}
			mu.Lock()
			defer mu.Unlock()
			plans[n] = f
			return ctx.Err()
		})
	}
	return plans, all.Wait()
}

// find finds the plan of a target.
func (m *merge) find(ctx context.Context, n inventory.Name, s inventory.Effective) (f found) {
	if f.store, f.err = m.repository.StoreOf(ctx, s, m.storageRole(s), m.Now); f.err == nil {
		f.stored, f.err = m.findPlan(ctx, f.store, n)
	}
	return f
}

// target applies one target's plan, after those of the targets that it depends on.
func (f *run) target(ctx context.Context, n inventory.Node, failed []inventory.Name, signals <-chan os.Signal) (well bool) {
	plan, known := f.plans[n.Name]
	record := plan.stored.Record
	if note := f.waits(n, record, plan.err, failed); note != "" {
		f.told.add(f.environment(n.Name), n.Name, record, report.FateLater, note, "")
		f.AddWaiting(n.Name, record, note)
		return false
	}
	if len(failed) > 0 {
		f.told.add(f.environment(n.Name), n.Name, record, report.FateBlocked, "depends on "+fleet.Names(failed)+", which was not applied", "")
		f.AddBlocked(n.Name, record, failed)
		return false
	}
	outcome := apply.Run(ctx, n.Name, f.options(signals), func(ctx context.Context, w *apply.Work) error {
		if !known {
			plan = f.find(ctx, n.Name, w.Workspace.Settings)
			f.mu.Lock()
			f.plans[n.Name] = plan
			f.mu.Unlock()
		}
		if plan.stored.Record.Commit != "" {
			w.Take(plan.store, plan.stored)
		}
		if plan.err != nil {
			return plan.err
		}
		if !known {
			if err := f.checkExpected(plan.stored.Record.ApprovalDigest()); err != nil {
				return w.Refuse(err, adviceOnDigest)
			}
		}
		w.PlanAgain(f.anew(ctx, w.Workspace.Target, plan.stored.Record))
		if f.DryRun {
			return w.Review(ctx)
		}
		if known { // others may have been applied since it was found
			if err := w.Refresh(ctx); err != nil {
				return err
			}
		}
		return w.Apply(ctx)
	})
	f.tell(outcome)
	var refusal *apply.Refusal
	if f.Component == "" && errors.As(outcome.Err, &refusal) && refusal.Claim != nil && refusal.Claim.Status == planstore.StatusApplied {
		// An earlier attempt of this run has applied the plan, or another of its jobs.
		if f.Finished != "" {
			f.mu.Lock()
			f.applied = append(f.applied, plan)
			f.mu.Unlock()
		}
		f.AddAppliedBefore(outcome, refusal.Claim)
		return true
	}
	f.gather(plan, outcome)
	return f.AddApply(outcome)
}

// options returns the options for the apply of one target.
func (f *run) options(signals <-chan os.Signal) apply.Options {
	m := f.merge
	return apply.Options{
		Merge: apply.Merge{
			PullRequest: m.reviewedIn, Base: m.base(), Environment: f.environment,
			Shown: m.ExpectedDigest != "", Event: m.event.Name, Branch: m.branch,
		},
		Repository: m.repository, Inputs: m.Inputs.Inputs, Pulls: m.pulls,
		Verification: m.Verification, AcceptNewState: m.AcceptNewState,
		Runtime: m.Runtime, Now: m.Now, Signals: signals,
	}
}

// waits says why a target has to be planned and applied in a later run, which is no failure: it could
// not be planned before others are applied, or depends on such a target. failed are those of its
// dependencies that were not applied.
func (f *run) waits(n inventory.Node, record planstore.Record, err error, failed []inventory.Name) (note string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	later := slices.DeleteFunc(slices.Clone(failed), func(d inventory.Name) bool { return !f.later[d] })
	switch {
	case len(later) < len(failed) || err != nil:
		return ""
	case len(later) > 0:
		note = "depends on " + fleet.Names(later) + ", which is to be planned next"
	case record.Outcome == planstore.OutcomeWaiting && f.Verification != apply.Replan:
		note = "is to be planned next: what it reads comes with the same change"
	default:
		return ""
	}
	f.later[n.Name] = true
	return note
}

func (f *run) gather(plan found, o apply.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o.HasChanges {
		f.changes[o.Target] = true
	}
	if o.Decision == apply.Skipped {
		f.skipped++
	}
	if !o.Applied {
		return
	}
	f.applied = append(f.applied, plan)
	if f.outputs[o.Target.Stack] == nil {
		f.outputs[o.Target.Stack] = map[string]map[string]json.RawMessage{}
	}
	f.outputs[o.Target.Stack][o.Target.Component] = o.Public()
}

// maxOutputs is the maximal size of the output `outputs`, in bytes. If it is larger, the output is
// left empty: the apply has succeeded, and must not fail because of that.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
const maxOutputs = 1 << 20

// values returns the output `outputs`: the values of the inputs' target, or of all targets.
func (f *run) values() string {
	var values any = f.outputs
	if f.Component != "" {
		values = map[string]json.RawMessage{}
		if one := f.outputs[f.Stack][f.Component]; one != nil {
			values = one
		}
	}
	text, err := json.Marshal(values)
	if err != nil || len(text) > maxOutputs { // a RawMessage that Terraform wrote is valid JSON
		f.Tally.Runtime.Notice(gha.Annotation{Message: fmt.Sprintf("The output `outputs` of this step is empty: the values have %d bytes, and GitHub takes %d.", len(text), maxOutputs)})
		return "{}"
	}
	return string(text)
}

// tellTimeout limits the time to notify other pull requests. They are notified after a cancel, too.
const tellTimeout = time.Minute

// end returns the summary and the outputs of all targets.
func (f *run) end(ctx context.Context) (action.Result, error) {
	outputs := map[string]string{
		"status": "succeeded", "digest": f.approvalDigest(), "outputs": f.values(),
		"count": strconv.Itoa(len(f.plans)), "has-changes": strconv.FormatBool(len(f.changes) > 0),
	}
	if f.DryRun && f.Component == "" {
		environments, err := f.environments(f.nodes)
		if err != nil {
			f.Trouble(err)
		}
		outputs["environments"] = environments
	}
	if f.Component != "" && f.skipped > 0 {
		outputs["status"], outputs["count"] = "skipped", "0"
	}
	if len(f.applied) > 0 {
		// What was applied before a cancel supersedes other plans, too.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
		defer cancel()
		outputs["superseded"] = f.supersede(ctx, f.applied)
	}
	return f.End("could not apply %s: %s", outputs)
}

// approvalDigest identifies the planfiles to apply. For the inputs' target it is the plan's digest.
func (f *run) approvalDigest() string {
	if f.Component != "" {
		return f.plans[inventory.Name{Component: f.Component, Stack: f.Stack}].stored.Record.ApprovalDigest()
	}
	return f.digest(slices.Collect(maps.Keys(f.plans)))
}

// digest is a SHA-256 over the names and digests of all plans with changes of these targets.
func (f *run) digest(names []inventory.Name) string {
	sum := sha256.New()
	for _, n := range slices.SortedFunc(slices.Values(names), inventory.Name.Compare) {
		if r := f.plans[n].stored.Record; r.Outcome == planstore.OutcomeChanges {
			fmt.Fprintf(sum, "%q %q %s\n", n.Component, n.Stack, r.ApprovalDigest())
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

const adviceOnDigest = "Review the plans that would be applied now, approve them, and give their digest."

// checkExpected returns an error if the digest is not the approved one.
func (m *merge) checkExpected(digest string) error {
	if m.ExpectedDigest == "" || m.ExpectedDigest == digest {
		return nil
	}
	return problem.With(problem.ExpectedDigest, fmt.Errorf("the approved digest (expected-digest) is %s, but the digest of the plans to apply is %s", m.ExpectedDigest, digest))
}
