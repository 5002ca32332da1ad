package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/batch"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/target"
)

// maxAnnotations is how many errors a step can show; GitHub drops the others.
// https://docs.github.com/actions/reference/limits
const maxAnnotations = 10

// fleet is the work on many targets.
type fleet struct {
	*merge
	plans   map[target.Name]chosen
	signals *batch.Signals
	summary *report.Many

	mu          sync.Mutex
	failed      []string
	applied     []chosen
	outputs     map[string]map[string]map[string]json.RawMessage // by stack, component and name
	annotations []gha.Annotation
	trouble     error
}

// many applies the plans of all targets that are meant: those that others depend on
// first, the others side by side.
func (m *merge) many(ctx context.Context) (result job.Result, err error) {
	listed, err := m.repository.Targets(ctx)
	if err != nil {
		return job.Result{}, err
	}
	meant, deleted, err := m.choose(ctx, listed)
	if err != nil {
		return job.Result{}, err
	}
	settings, depends := map[target.Name]target.Settings{}, map[target.Name][]target.Name{}
	for _, l := range listed {
		settings[l.Name()], depends[l.Name()] = l.Settings, l.DependsOn
	}
	nodes, err := batch.Order(meant, depends)
	if err != nil {
		return job.Result{}, err
	}
	signals, stop := batch.Spread(m.Signals)
	defer stop()
	f := &fleet{merge: m, signals: signals, outputs: map[string]map[string]map[string]json.RawMessage{}}
	if f.plans, err = m.findAll(ctx, meant, settings); err != nil {
		return job.Result{}, err
	}
	digest := f.digest()
	if err := m.checkExpected(digest); err != nil {
		err := m.refuse(err, adviceOnDigest)
		return failed(m.Runtime, m.Inputs, err), err
	}
	kind := report.Applies
	if m.DryRun {
		kind = report.WouldApply
	}
	f.summary = report.NewMany(m.context.TempDir, kind, report.Subject{Commit: m.commit, Actor: m.context.Actor, RunURL: m.context.RunURL, CreatedAt: m.Now()})
	f.summary.CombinedDigest = digest
	defer func() { err = errors.Join(err, f.summary.Close()) }()
	for _, n := range deleted {
		f.add(report.Entry{Component: n.Component, Stack: n.Stack, Status: report.Deleted}, nil)
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
func (f *fleet) target(ctx context.Context, n batch.Node, failed []target.Name) (well bool) {
	entry := report.Entry{Component: n.Component, Stack: n.Stack}
	plan := f.plans[n.Name]
	record := plan.stored.Record
	entry.Counts, entry.Digest = record.Counts, record.Digest
	if len(failed) > 0 {
		entry.Status, entry.Note = report.Blocked, "depends on "+names(failed)+", which was not applied"
		f.fail(n.Name, problem.With(problem.Targets, fmt.Errorf("%s was not applied: it %s", n.Name, entry.Note)))
		f.add(entry, nil)
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
		if f.DryRun {
			return w.Check(ctx)
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
		f.add(entry, nil)
		return true
	}
	entry.Status = outcome.Report.Status
	if err != nil {
		entry.Note = f.Runtime.Redacted(noteOf(err))
		f.fail(n.Name, err, outcome.Annotations...)
	}
	if outcome.Applied {
		f.gather(n.Name, outcome)
	}
	f.add(entry, job.Redact(f.Runtime, outcome.Report).Markdown)
	return err == nil
}

// noteOf is an error without the target's name, which stands beside it.
func noteOf(err error) string {
	var refusal *apply.Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason.Error()
	}
	return err.Error()
}

func names(list []target.Name) string {
	var all []string
	for _, n := range list {
		all = append(all, n.String())
	}
	return strings.Join(all, " and ")
}

func (f *fleet) gather(n target.Name, o apply.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.applied = append(f.applied, f.plans[n])
	if f.outputs[n.Stack] == nil {
		f.outputs[n.Stack] = map[string]map[string]json.RawMessage{}
	}
	f.outputs[n.Stack][n.Component] = public(o)
}

// fail notes that a target was not applied, and why.
func (f *fleet) fail(n target.Name, err error, at ...gha.Annotation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = append(f.failed, n.String())
	if len(at) == 0 {
		at = []gha.Annotation{{Message: problem.Text(err)}}
	}
	f.annotations = append(f.annotations, at...)
}

func (f *fleet) add(e report.Entry, render func(limit int) string) {
	if err := f.summary.Add(e, render); err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.trouble = errors.Join(f.trouble, err)
	}
}

// result makes the summary and the outputs of all.
func (f *fleet) result(ctx context.Context, digest string) (job.Result, error) {
	outputs := map[string]string{"status": "succeeded", "digest": digest}
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
		f.supersede(ctx, f.applied)
	}
	summary, err := f.summary.Markdown(report.SummaryLimit)
	f.trouble = errors.Join(f.trouble, err)
	slices.Sort(f.failed)
	if len(f.failed) > 0 {
		outputs["status"] = "failed"
		// Last, since it says what the job's end is about.
		whole := problem.With(problem.Targets, errors.New(failures(f.failed)))
		f.annotations = append(f.annotations[:min(len(f.annotations), maxAnnotations-1)], gha.Annotation{Message: problem.Text(whole)})
		f.trouble = errors.Join(whole, f.trouble)
	} else if f.trouble != nil {
		f.annotations = append(f.annotations, gha.Annotation{Message: problem.Text(f.trouble)})
	}
	return job.Result{Summary: summary, Outputs: outputs, Annotations: f.annotations}, f.trouble
}

// tellTimeout bounds the calls that tell other pull requests, which go on after a cancel.
const tellTimeout = time.Minute

// maxNamed is how many failed targets an error names; the summary has them all.
const maxNamed = 20

func failures(names []string) string {
	text := fmt.Sprintf("%d of the targets were not applied: %s", len(names), strings.Join(names[:min(maxNamed, len(names))], ", "))
	if more := len(names) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
