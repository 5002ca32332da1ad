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
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/report"
)

// many plans all targets that are meant, side by side.
func (s *session) many(ctx context.Context) (result job.Result, err error) {
	listed, err := s.repository.Targets(ctx)
	if err != nil {
		return job.Result{}, err
	}
	if err := s.look(ctx); err != nil {
		return job.Result{}, err
	}
	meant, uncovered, err := s.choose(ctx, listed)
	if err != nil {
		return job.Result{}, err
	}
	var names []inventory.Name
	for _, c := range meant {
		if !c.Deleted && !c.Outside && c.Err == nil {
			names = append(names, c.Name)
		}
	}
	depends := make(map[inventory.Name][]inventory.Name, len(listed))
	for _, l := range listed {
		depends[l.Name()] = l.DependsOn
	}
	nodes, err := inventory.Order(names, depends)
	if err != nil {
		return job.Result{}, err
	}
	outputs := map[string]string{"count": strconv.Itoa(len(names))}
	if outputs["matrix"], err = inventory.Matrix(names); err != nil {
		return job.Result{}, err
	}
	signals, stop := batch.Spread(s.Signals)
	defer stop()
	f := &fleet{session: s, signals: signals, positions: newPositions(names)}
	f.Summary = report.NewMany(s.context.TempDir, report.Plans, report.Subject{
		Commit: s.commit, BaseCommit: s.pull.Base, PullRequest: s.pull.Number, Actor: s.context.Actor, RunURL: s.context.RunURL, CreatedAt: s.Now(),
	})
	defer func() { err = errors.Join(err, f.Summary.Close()) }()
	f.Summary.Uncovered = uncovered
	for _, folder := range uncovered {
		s.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("%s: Terraform files changed here, and no target covers this folder: nothing plans it. If it is a root module, add it to gitops.yaml, as a component with `path: %[1]s`, or to a stack of Atmos.", folder)})
	}
	for _, c := range meant {
		entry := report.Entry{Component: c.Component, Stack: c.Stack}
		switch {
		case c.Deleted: // see below
		case c.Outside:
			entry.Status, entry.Note = report.Skipped, "outside of the sparse checkout, and not affected"
			f.Add(entry, nil)
		case c.Err != nil:
			entry.Status, entry.Note = report.Failed, s.Runtime.Redacted(c.Err.Error())
			f.Fail(c.Name, c.Err)
			f.Add(entry, nil)
		case s.MatrixOnly:
			entry.Status, entry.Note = report.Selected, strings.Join(c.Why, "; ")
			f.Add(entry, nil)
		}
	}
	for _, l := range s.left(ctx, meant) {
		f.AddLeft(s.Runtime, l)
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
	batch.Run(ctx, nodes, s.Parallelism, func(ctx context.Context, n inventory.Node, _ []inventory.Name) bool {
		f.plan(ctx, n.Name)
		return true
	})
	return f.result(ctx, outputs)
}

// choose decides which targets are meant.
// left are the targets that are no longer in Git and may have left infrastructure behind. A
// job that only makes a matrix may have no credentials, and asks no store.
func (s *session) left(ctx context.Context, meant []inventory.Change) (left []job.Left) {
	if !s.MatrixOnly {
		return s.repository.Left(ctx, meant, s.storageRole, s.Now)
	}
	for _, c := range meant {
		if c.Deleted {
			left = append(left, job.Left{Name: c.Name, Unchecked: errors.New("matrix-only asks no plan store")})
		}
	}
	return left
}

func (s *session) choose(ctx context.Context, listed []inventory.Listed) (meant []inventory.Change, uncovered []string, err error) {
	var all []inventory.Name
	for _, l := range listed {
		all = append(all, l.Name())
	}
	if err := s.Selection.Check(all); err != nil {
		return nil, nil, err
	}
	switch {
	case len(s.Targets) > 0:
		for _, n := range s.Targets {
			meant = append(meant, inventory.Change{Name: n})
		}
		return meant, nil, nil
	case s.All || s.Drift:
		for _, n := range all {
			meant = append(meant, inventory.Change{Name: n})
		}
	default:
		base, err := s.base(ctx)
		if err != nil {
			return nil, nil, err
		}
		if meant, err = s.repository.Affected(ctx, base, s.Dependents); err != nil {
			return nil, nil, err
		}
		if uncovered, err = s.repository.Uncovered(ctx, base); err != nil {
			return nil, nil, err
		}
	}
	return slices.DeleteFunc(meant, func(c inventory.Change) bool { return !s.Selection.Matches(c.Name) }), uncovered, nil
}

// fleet gathers what comes of the plannings of many targets.
type fleet struct {
	*session
	job.Tally
	signals   *batch.Signals
	positions *positions

	mu      sync.Mutex
	counts  changes.Counts
	changed int
	stored  []planstore.Target
	drifted int
}

// plan plans one of the targets and adds it to the summary.
func (f *fleet) plan(ctx context.Context, name inventory.Name) {
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
		f.Add(entry, nil)
		return
	case p == nil:
		entry.Status, entry.Note = report.Failed, f.Runtime.Redacted(err.Error())
		f.Fail(name, err)
		f.Add(entry, nil)
		return
	}
	f.gather(p)
	entry.Status, entry.Counts, entry.Digest, entry.Note, entry.Cautions = p.status(), p.record.Counts, p.record.Digest, p.lockedBy, p.cautions
	if len(p.waits) > 0 {
		entry.Note = "can be planned once " + strings.Join(names(p.waits), " and ") + " is applied"
		f.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("%s %s: what it reads comes with the same change.", name, entry.Note)})
	} else if entry.Note == "" {
		entry.Note = strings.Join(p.record.Scope(), " ")
	}
	if failure := errors.Join(p.error, err); failure != nil {
		f.Fail(name, failure, job.Annotations(p.job.Target.Dir, p.diagnostics)...)
		// Without the target's name, which stands beside it.
		note := strings.TrimPrefix(failure.Error(), "plan "+name.String()+": ")
		entry.Status, entry.Note = report.Failed, f.Runtime.Redacted(note)
	}
	f.Add(entry, p.markdown())
	if err := p.job.Close(); err != nil {
		f.Fail(name, err)
	}
}

// status is what the overview says of a plan.
func (p *planning) status() report.Status {
	if len(p.waits) > 0 {
		return report.Waiting
	}
	if p.record.Outcome == planstore.OutcomeChanges || p.Drift && p.changes != nil && p.drifted() {
		return report.Planned
	}
	return report.NoChanges
}

func names(list []inventory.Name) (all []string) {
	for _, n := range list {
		all = append(all, n.String())
	}
	return all
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

// result makes the summary and the outputs of all.
func (f *fleet) result(ctx context.Context, outputs map[string]string) (job.Result, error) {
	outputs["has-changes"] = strconv.FormatBool(f.changed > 0)
	countOutputs(outputs, f.counts)
	if f.Drift {
		outputs["drifted"] = strconv.FormatBool(f.drifted > 0)
	}
	if f.Comment && f.pull.Number > 0 && !f.MatrixOnly {
		short, err := f.Summary.Markdown(github.CommentRoom(commentKey))
		f.Trouble(errors.Join(err, f.comment(ctx, commentKey, short)))
	}
	f.clearStatus(ctx, f.stored...)
	return f.End("planning failed for %d of the targets: %s", outputs)
}

// commentKey is that of the one comment about all targets.
const commentKey = "gitops plan of many"
