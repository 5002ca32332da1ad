package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/batch"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/target"
)

// maxAnnotations is how many errors a step can show; GitHub drops the others.
// https://docs.github.com/actions/reference/limits
const maxAnnotations = 10

// chosen is a target and the plan that is meant for it.
type chosen struct {
	store  *planstore.Store
	stored planstore.Stored
	err    error // why there is none, or why it is refused
}

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
	f := &fleet{merge: m, signals: batch.Spread(ctx, m.Signals), outputs: map[string]map[string]map[string]json.RawMessage{}}
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
	batch.Run(ctx, nodes, m.Parallelism, f.target)
	return f.result(ctx, digest)
}

// choose decides which targets are meant: those that the merge affects, and those that
// a pull request which was merged planned. One that is affected and has no plan is among
// them, so that it is not left out without a word.
func (m *merge) choose(ctx context.Context, listed []target.Listed) (meant, deleted []target.Name, err error) {
	var all []target.Name
	for _, l := range listed {
		all = append(all, l.Name())
	}
	if err := m.Selection.Check(all); err != nil {
		return nil, nil, err
	}
	if len(m.Targets) > 0 {
		return m.Targets, nil, nil
	}
	if base := m.base(); base != "" {
		affected, err := m.repository.Affected(ctx, base, false)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range affected {
			if c.Deleted {
				deleted = append(deleted, c.Name)
			} else {
				meant = append(meant, c.Name)
			}
		}
	}
	planned, err := m.planned(ctx, listed)
	if err != nil {
		return nil, nil, err
	}
	out := func(n target.Name) bool { return !m.Selection.Matches(n) }
	meant = slices.SortedFunc(slices.Values(append(meant, planned...)), batch.Compare)
	return slices.DeleteFunc(slices.Compact(meant), out), slices.DeleteFunc(deleted, out), nil
}

// base is the commit before the merge; empty for a first commit. A push may hold several
// merges.
func (m *merge) base() string {
	switch {
	case m.event.Push != nil:
		return m.event.Push.Before
	case len(m.checkout.Parents) > 0:
		return m.checkout.Parents[0]
	}
	return ""
}

// planned are the targets that have a plan of a commit that is meant.
func (m *merge) planned(ctx context.Context, listed []target.Listed) (names []target.Name, err error) {
	heads, err := m.mergedHeads(ctx)
	if err != nil {
		return nil, err
	}
	stores, err := m.repository.Stores(ctx, listed, func(s target.Settings) string { return s.ApplyStorageRole }, m.Now)
	if err != nil {
		return nil, err
	}
	known := map[target.Name]bool{}
	for _, l := range listed {
		known[l.Name()] = true
	}
	for _, store := range stores {
		for _, h := range heads {
			plans, err := store.PlansOfPullRequest(ctx, m.context.Repository, h.number)
			if err != nil {
				return nil, err
			}
			for _, p := range plans {
				n := target.Name{Component: p.Target.Component, Stack: p.Target.Stack}
				if (p.Commit == h.commit || p.Commit == m.commit || p.Commit == m.SHA) && known[n] {
					names = append(names, n)
				}
			}
		}
	}
	return names, nil
}

// lookups is how many plans are looked for at once.
const lookups = 16

// findAll finds the plan of each target.
func (m *merge) findAll(ctx context.Context, names []target.Name, settings map[target.Name]target.Settings) (map[target.Name]chosen, error) {
	plans := make(map[target.Name]chosen, len(names))
	var mu sync.Mutex
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(lookups)
	for _, n := range names {
		all.Go(func() error {
			s, ok := settings[n]
			var c chosen
			if !ok {
				c.err = fmt.Errorf("%s: %w in the merged commit", n, target.ErrUnknownTarget)
			} else if c.store, c.err = m.repository.StoreOf(ctx, s, s.ApplyStorageRole, m.Now); c.err == nil {
				c.stored, c.err = m.find(ctx, c.store, n)
			}
			mu.Lock()
			defer mu.Unlock()
			plans[n] = c
			return ctx.Err()
		})
	}
	return plans, all.Wait()
}

// digest is one for all plans with changes: the SHA-256 over the names and digests of
// their planfiles.
func (f *fleet) digest() string {
	sum := sha256.New()
	for _, n := range slices.SortedFunc(maps.Keys(f.plans), batch.Compare) {
		if r := f.plans[n].stored.Record; r.Outcome == planstore.OutcomeChanges {
			fmt.Fprintf(sum, "%q %q %s\n", n.Component, n.Stack, r.Digest)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

const adviceOnDigest = "Look at what is to be applied now, approve that, and give its digest."

// checkExpected refuses another digest than the one that was approved.
func (m *merge) checkExpected(digest string) error {
	if m.ExpectedDigest == "" || m.ExpectedDigest == digest {
		return nil
	}
	return fmt.Errorf("digest %s was approved (expected-digest), and that of what is to be applied is %s", m.ExpectedDigest, digest)
}

// target works on one of the targets, after those that it depends on.
func (f *fleet) target(ctx context.Context, n batch.Node, failed []target.Name) (well bool) {
	entry := report.Entry{Component: n.Component, Stack: n.Stack}
	plan := f.plans[n.Name]
	record := plan.stored.Record
	entry.Counts, entry.Digest = record.Counts, record.Digest
	if len(failed) > 0 {
		entry.Status, entry.Note = report.Blocked, "depends on "+names(failed)+", which was not applied"
		f.fail(n.Name, fmt.Errorf("%s was not applied: it %s", n.Name, entry.Note))
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
		at = []gha.Annotation{{Message: err.Error()}}
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
		f.supersede(ctx, f.applied)
	}
	summary, err := f.summary.Markdown(report.SummaryLimit)
	f.trouble = errors.Join(f.trouble, err)
	slices.Sort(f.failed)
	if len(f.failed) > 0 {
		outputs["status"] = "failed"
		// Last, since it says what the job's end is about.
		whole := failures(f.failed)
		f.annotations = append(f.annotations[:min(len(f.annotations), maxAnnotations-1)], gha.Annotation{Message: whole})
		f.trouble = errors.Join(errors.New(whole), f.trouble)
	} else if f.trouble != nil {
		f.annotations = append(f.annotations, gha.Annotation{Message: f.trouble.Error()})
	}
	return job.Result{Summary: summary, Outputs: outputs, Annotations: f.annotations}, f.trouble
}

// maxNamed is how many failed targets an error names; the summary has them all.
const maxNamed = 20

func failures(names []string) string {
	text := fmt.Sprintf("%d of the targets were not applied: %s", len(names), strings.Join(names[:min(maxNamed, len(names))], ", "))
	if more := len(names) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
