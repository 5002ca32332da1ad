package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/terraform-gitops/gitops/shared/batch"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/target"
)

// maxAnnotations is how many errors a step can show; GitHub drops the others.
// https://docs.github.com/actions/reference/limits
const maxAnnotations = 10

// many plans all targets that are meant, side by side.
func (s *session) many(ctx context.Context) (result job.Result, err error) {
	listed, err := s.repository.Targets(ctx)
	if err != nil {
		return job.Result{}, err
	}
	if err := s.look(ctx); err != nil {
		return job.Result{}, err
	}
	meant, err := s.choose(ctx, listed)
	if err != nil {
		return job.Result{}, err
	}
	var names []target.Name
	for _, c := range meant {
		if !c.Deleted && c.Err == nil {
			names = append(names, c.Name)
		}
	}
	depends := make(map[target.Name][]target.Name, len(listed))
	for _, l := range listed {
		depends[l.Name()] = l.DependsOn
	}
	nodes, err := batch.Order(names, depends)
	if err != nil {
		return job.Result{}, err
	}
	outputs := map[string]string{"count": strconv.Itoa(len(names))}
	if outputs["matrix"], err = batch.Matrix(names); err != nil {
		return job.Result{}, err
	}
	signals, stop := batch.Spread(s.Signals)
	defer stop()
	f := &fleet{session: s, signals: signals, positions: newPositions(names)}
	f.summary = report.NewMany(s.context.TempDir, report.Plans, report.Subject{
		Commit: s.commit, BaseCommit: s.pull.Base, PullRequest: s.pull.Number, Actor: s.context.Actor, RunURL: s.context.RunURL, CreatedAt: s.Now(),
	})
	defer func() { err = errors.Join(err, f.summary.Close()) }()
	for _, c := range meant {
		entry := report.Entry{Component: c.Component, Stack: c.Stack}
		switch {
		case c.Deleted:
			entry.Status = report.Deleted
			f.add(entry, nil)
		case c.Err != nil:
			entry.Status, entry.Note = report.Failed, s.Runtime.Redacted(c.Err.Error())
			f.fail(c.Name, nil, c.Err)
			f.add(entry, nil)
		case s.MatrixOnly:
			entry.Status, entry.Note = report.Selected, strings.Join(c.Why, "; ")
			f.add(entry, nil)
		}
	}
	if s.MatrixOnly {
		return f.result(ctx, outputs)
	}
	done, err := s.repository.SharePlugins()
	if err != nil {
		return job.Result{}, err
	}
	defer func() { err = errors.Join(err, done()) }()
	for i := range nodes {
		nodes[i].After = nil // a plan waits for nothing: see positions
	}
	batch.Run(ctx, nodes, s.Parallelism, func(ctx context.Context, n batch.Node, _ []target.Name) bool {
		f.plan(ctx, n.Name)
		return true
	})
	return f.result(ctx, outputs)
}

// choose decides which targets are meant.
func (s *session) choose(ctx context.Context, listed []target.Listed) ([]target.Change, error) {
	var all []target.Name
	for _, l := range listed {
		all = append(all, l.Name())
	}
	if err := s.Selection.Check(all); err != nil {
		return nil, err
	}
	var meant []target.Change
	switch {
	case len(s.Targets) > 0:
		for _, n := range s.Targets {
			meant = append(meant, target.Change{Name: n})
		}
		return meant, nil
	case s.All || s.Drift:
		for _, n := range all {
			meant = append(meant, target.Change{Name: n})
		}
	default:
		base, err := s.base(ctx)
		if err != nil {
			return nil, err
		}
		if meant, err = s.repository.Affected(ctx, base, s.Dependents); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(meant, func(c target.Change) bool { return !s.Selection.Matches(c.Name) }), nil
}

// fleet gathers what comes of the plannings of many targets.
type fleet struct {
	*session
	signals   *batch.Signals
	summary   *report.Many
	positions *positions

	mu          sync.Mutex
	counts      changes.Counts
	changed     int
	stored      []planstore.Target
	drifted     int
	failed      []string
	annotations []gha.Annotation
	trouble     error
}

// plan plans one of the targets and adds it to the summary.
func (f *fleet) plan(ctx context.Context, name target.Name) {
	signals, stop := f.signals.Listen()
	defer stop()
	s := *f.session // its own, for its signals
	s.Signals = signals
	p, err := s.target(ctx, name, f.positions)
	entry := report.Entry{Component: name.Component, Stack: name.Stack}
	var skipped *job.Skipped
	switch {
	case errors.As(err, &skipped):
		entry.Status, entry.Note = report.Skipped, skipped.Reason
		f.Runtime.Notice(gha.Annotation{Message: skipped.Error()})
		f.add(entry, nil)
		return
	case p == nil:
		entry.Status, entry.Note = report.Failed, f.Runtime.Redacted(err.Error())
		f.fail(name, nil, err)
		f.add(entry, nil)
		return
	}
	f.gather(p)
	entry.Status, entry.Counts, entry.Digest, entry.Note = p.status(), p.record.Counts, p.record.Digest, p.lockedBy
	if failure := errors.Join(p.error, err); failure != nil {
		f.fail(name, job.Annotations(p.job.Target.Dir, p.diagnostics), failure)
		// Without the target's name, which stands beside it.
		note := strings.TrimPrefix(failure.Error(), "plan "+name.String()+": ")
		entry.Status, entry.Note = report.Failed, f.Runtime.Redacted(note)
	}
	f.add(entry, p.markdown())
	if err := p.job.Close(); err != nil {
		f.fail(name, nil, err)
	}
}

// status is what the overview says of a plan.
func (p *planning) status() report.Status {
	if p.record.Outcome == planstore.OutcomeChanges || p.Drift && p.changes != nil && p.drifted() {
		return report.Planned
	}
	return report.NoChanges
}

func (f *fleet) gather(p *planning) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts = f.counts.Plus(p.record.Counts)
	if p.record.Outcome == planstore.OutcomeChanges {
		f.changed++
	}
	if p.stored {
		f.stored = append(f.stored, p.record.Target)
	}
	if p.changes != nil && p.drifted() {
		f.drifted++
	}
}

// fail notes that a target failed, and why.
func (f *fleet) fail(name target.Name, at []gha.Annotation, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.failed, name.String()) {
		f.failed = append(f.failed, name.String())
	}
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
func (f *fleet) result(ctx context.Context, outputs map[string]string) (job.Result, error) {
	outputs["has-changes"] = strconv.FormatBool(f.changed > 0)
	countOutputs(outputs, f.counts)
	if f.Drift {
		outputs["drifted"] = strconv.FormatBool(f.drifted > 0)
	}
	summary, err := f.summary.Markdown(report.SummaryLimit)
	f.trouble = errors.Join(f.trouble, err)
	if f.Comment && f.pull.Number > 0 && !f.MatrixOnly {
		short, err := f.summary.Markdown(github.CommentRoom(commentKey))
		f.trouble = errors.Join(f.trouble, err, f.comment(ctx, commentKey, short))
	}
	f.clearStatus(ctx, f.stored...)
	slices.Sort(f.failed)
	var whole error
	if len(f.failed) > 0 {
		// Last, since it says what the job's end is about.
		whole = problem.With(problem.Targets, errors.New(failures(f.failed)))
		f.annotations = append(f.annotations[:min(len(f.annotations), maxAnnotations-1)], gha.Annotation{Message: problem.Text(whole)})
	}
	if f.trouble != nil {
		f.annotations = append(f.annotations, gha.Annotation{Message: problem.Text(f.trouble)})
	}
	f.trouble = errors.Join(whole, f.trouble)
	return job.Result{Summary: summary, Outputs: outputs, Annotations: f.annotations}, f.trouble
}

// commentKey is that of the one comment about all targets.
const commentKey = "gitops plan of many"

// maxNamed is how many failed targets an error names; the summary has them all.
const maxNamed = 20

func failures(names []string) string {
	text := fmt.Sprintf("planning failed for %d of the targets: %s", len(names), strings.Join(names[:min(maxNamed, len(names))], ", "))
	if more := len(names) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
