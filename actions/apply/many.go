package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/batch"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
)

// fleet is the work on many targets.
type fleet struct {
	*merge
	job.Tally
	plans   map[inventory.Name]chosen
	signals *batch.Signals

	mu      sync.Mutex
	applied []chosen
	changes bool                                             // some plan has something to apply
	left    map[inventory.Name]bool                          // to be planned and applied by a run of its own
	outputs map[string]map[string]map[string]json.RawMessage // by stack, component and name
}

// many applies the plans of all targets that are meant: those that others depend on
// first, the others side by side.
func (m *merge) many(ctx context.Context) (result job.Result, err error) {
	defer func() {
		switch {
		case err == nil:
		case result.Outputs == nil: // it came to no target
			result = failed(m.Runtime, m.Inputs, err)
		default:
			result.Outputs["status"] = "failed"
		}
	}()
	listed, err := m.repository.Targets(ctx)
	if err != nil {
		return job.Result{}, err
	}
	meant, left, err := m.choose(ctx, listed)
	if err != nil {
		return job.Result{}, err
	}
	settings, depends := map[inventory.Name]inventory.Settings{}, map[inventory.Name][]inventory.Name{}
	for _, l := range listed {
		settings[l.Name()], depends[l.Name()] = l.Settings, l.DependsOn
	}
	nodes, err := inventory.Order(meant, depends)
	if err != nil {
		return job.Result{}, err
	}
	signals, stop := batch.Spread(m.Signals)
	defer stop()
	f := &fleet{merge: m, signals: signals, left: map[inventory.Name]bool{}, outputs: map[string]map[string]map[string]json.RawMessage{}}
	if f.plans, err = m.findAll(ctx, meant, settings); err != nil {
		return job.Result{}, err
	}
	digest := f.digest()
	if err := m.checkExpected(digest); err != nil {
		return job.Result{}, m.refuse(err, adviceOnDigest)
	}
	kind := report.Applies
	if m.DryRun {
		kind = report.WouldApply
	}
	f.Summary = report.NewMany(m.context.TempDir, kind, report.Subject{Commit: m.commit, Actor: m.context.Actor, RunURL: m.context.RunURL, CreatedAt: m.Now()})
	f.Summary.CombinedDigest = digest
	defer func() { err = errors.Join(err, f.Summary.Close()) }()
	for _, l := range left {
		f.AddLeft(m.Runtime, l)
	}
	done, err := m.repository.SharePlugins()
	if err != nil {
		return job.Result{}, err
	}
	defer func() { err = errors.Join(err, done()) }()
	batch.Run(ctx, nodes, m.Parallelism, f.target)
	return f.result(ctx, digest)
}

// target works on one of the targets, after those that it depends on.
func (f *fleet) target(ctx context.Context, n inventory.Node, failed []inventory.Name) (well bool) {
	entry := report.Entry{Component: n.Component, Stack: n.Stack}
	plan := f.plans[n.Name]
	record := plan.stored.Record
	entry.Counts, entry.Digest, entry.Note = record.Counts, record.Digest, strings.Join(record.Scope(), " ")
	if note := f.waits(n, record, plan.err, failed); note != "" {
		entry.Status, entry.Note = report.Waiting, note
		f.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("%s is not applied: it %s. %s", n.Name, note, apply.PlanMerged)})
		f.Add(entry, nil)
		return false
	}
	if len(failed) > 0 {
		entry.Status, entry.Note = report.Blocked, "depends on "+names(failed)+", which was not applied"
		f.Fail(n.Name, problem.With(problem.Targets, fmt.Errorf("%s was not applied: it %s", n.Name, entry.Note)))
		f.Add(entry, nil)
		return false
	}
	signals, stop := f.signals.Listen()
	defer stop()
	options := f.options(n.Name, signals)
	options.Store = plan.store
	outcome, err := apply.Run(ctx, options, func(ctx context.Context, w *apply.Work) error {
		if record.Commit != "" {
			w.Take(plan.stored)
		}
		if plan.err != nil {
			return plan.err
		}
		w.PlanAnew(f.anew(ctx, w.Job.Target, record))
		if f.DryRun {
			return w.Review(ctx)
		}
		if err := w.Refresh(ctx); err != nil { // others were applied meanwhile
			return err
		}
		return w.Apply(ctx)
	})
	var skipped *job.Skipped
	if errors.As(err, &skipped) {
		entry.Status, entry.Note = report.Skipped, skipped.Reason
		f.Runtime.Notice(gha.Annotation{Message: skipped.Error()})
		f.Add(entry, nil)
		return true
	}
	entry.Status, entry.Counts = outcome.Report.Status, outcome.Report.Planned
	var refusal *apply.Refusal
	if errors.As(err, &refusal) && refusal.Claim != nil && refusal.Claim.Status == planstore.StatusApplied {
		// An earlier run of this job came as far as this: what comes after it can go on.
		entry.Status, entry.Note = report.NoChanges, refusal.Reason.Error()
		f.Add(entry, nil)
		return true
	}
	if outcome.HasChanges {
		f.mu.Lock()
		f.changes = true
		f.mu.Unlock()
	}
	if err != nil {
		entry.Note = f.Runtime.Redacted(noteOf(err))
		f.Fail(n.Name, err, outcome.Annotations...)
	}
	if outcome.Applied {
		f.gather(n.Name, outcome)
	}
	f.Add(entry, job.Redact(f.Runtime, outcome.Report).Markdown)
	return err == nil
}

// waits says why a target is left for a run of its own, which is not a failure: it could not
// be planned before others are applied, or depends on one that is left so. failed are those of
// its dependencies that were not applied.
func (f *fleet) waits(n inventory.Node, record planstore.Record, err error, failed []inventory.Name) (note string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(failed), func(d inventory.Name) bool { return !f.left[d] })
	switch {
	case len(left) < len(failed) || err != nil:
		return ""
	case len(left) > 0:
		note = "depends on " + names(left) + ", which is to be planned next"
	case record.Outcome == planstore.OutcomeWaiting && f.Verification != apply.Replan:
		note = "is to be planned next: what it reads comes with the same change"
	default:
		return ""
	}
	f.left[n.Name] = true
	return note
}

// noteOf is an error without the target's name, which stands beside it.
func noteOf(err error) string {
	var refusal *apply.Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason.Error()
	}
	return err.Error()
}

func names(list []inventory.Name) string {
	var all []string
	for _, n := range list {
		all = append(all, n.String())
	}
	return strings.Join(all, " and ")
}

func (f *fleet) gather(n inventory.Name, o apply.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applied = append(f.applied, f.plans[n])
	if f.outputs[n.Stack] == nil {
		f.outputs[n.Stack] = map[string]map[string]json.RawMessage{}
	}
	f.outputs[n.Stack][n.Component] = public(o)
}

// result makes the summary and the outputs of all.
func (f *fleet) result(ctx context.Context, digest string) (job.Result, error) {
	outputs := map[string]string{"status": "succeeded", "digest": digest, "count": strconv.Itoa(len(f.plans)), "has-changes": strconv.FormatBool(f.changes)}
	values, err := json.Marshal(f.outputs)
	if err != nil || len(values) > maxOutputs {
		f.Runtime.Notice(gha.Annotation{Message: fmt.Sprintf("The output `outputs` of this step is empty: the values have %d bytes, and GitHub takes %d.", len(values), maxOutputs)})
		values = []byte("{}")
	}
	outputs["outputs"] = string(values)
	if len(f.applied) > 0 {
		// What was applied before a cancel supersedes plans, too.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
		defer cancel()
		outputs["superseded"] = f.supersede(ctx, f.applied)
	}
	return f.End("%d of the targets were not applied: %s", outputs)
}

// tellTimeout bounds the calls that tell other pull requests, which go on after a cancel.
const tellTimeout = time.Minute
