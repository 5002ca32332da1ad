package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// onlyLocks does what there is to do where nothing is to be planned: a pull request was
// closed, or its locks are to be released.
func (s *session) onlyLocks(ctx context.Context) (done bool, _ job.Result, _ error) {
	pr := s.event.PullRequest
	closed := s.Lock && pr != nil && pr.Action == "closed"
	labelled := pr != nil && pr.Action == "labeled" && pr.Label == pulls.UnlockLabel
	if !closed && !labelled && !s.Unlock {
		return false, job.Result{}, nil
	}
	if s.pull.Number == 0 {
		return true, job.Result{}, problem.With(problem.Event, errors.New("input `unlock` is true, and this run is about no pull request: run it on one, or on workflow_dispatch with an input `pull-request`"))
	}
	said := fmt.Sprintf("pull request #%d is closed: there is nothing to plan", s.pull.Number)
	if labelled || s.Unlock || !pr.Merged {
		released, err := s.release(ctx)
		if err != nil {
			return true, job.Result{}, err
		}
		said = fmt.Sprintf("pull request #%d held no lock", s.pull.Number)
		if len(released) > 0 {
			said = fmt.Sprintf("pull request #%d no longer holds %s", s.pull.Number, strings.Join(released, ", "))
		}
	}
	s.Runtime.Notice(gha.Annotation{Message: said})
	outputs := (&planning{session: s}).outputs()
	return true, job.Result{Summary: "🔓 " + markdown.Text(said) + ".\n", Outputs: outputs}, nil
}

// release ends the locks of the pull request, and returns whose they were.
func (s *session) release(ctx context.Context) (names []string, err error) {
	stores, err := s.stores(ctx)
	if err != nil {
		return nil, err
	}
	for _, store := range stores {
		released, err := pulls.Release(ctx, store, s.context.Repository, s.pull.Number)
		for _, l := range released {
			names = append(names, l.Target.String())
		}
		if err != nil {
			return names, err
		}
	}
	return names, nil
}

// stores are the plan stores of all targets.
func (s *session) stores(ctx context.Context) ([]*planstore.Store, error) {
	listed, err := s.repository.Targets(ctx)
	if err != nil {
		return nil, err
	}
	return s.repository.Stores(ctx, listed, s.storageRole, s.Now)
}

// lock takes the target's lock for the pull request, where that is asked for. That
// another one holds it is no error: the plan is made all the same, and can't be applied.
func (p *planning) lock(ctx context.Context) (err error) {
	if !p.Lock || p.pull.Number == 0 {
		return nil
	}
	// The event may be an old one, of a job that is run again: who is closed would hold on.
	pr, err := p.pulls.Get(ctx, p.pull.Number)
	if err != nil {
		return fmt.Errorf("ask whether pull request #%d, which wants the lock of %s, is open: %w", p.pull.Number, p.record.Target, err)
	}
	if pr.State != "open" {
		p.notes = append(p.notes, fmt.Sprintf("Pull request #%d is %s by now, so it takes no lock.", p.pull.Number, state(pr)))
		return nil
	}
	lock, held, err := p.pulls.Lock(ctx, p.store, planstore.Lock{
		Target: p.record.Target, PullRequest: p.pull.Number, Branch: p.pull.Branch, Actor: p.context.Actor, Run: p.record.Run,
	})
	if err != nil {
		return err
	}
	p.locking = &lock
	if held {
		p.lockedBy = fmt.Sprintf("Locked by pull request #%d since %s: this plan can't be applied until that one is applied or closed, or gets the label %s. Then plan again.",
			lock.PullRequest, lock.Since.UTC().Format("2006-01-02 15:04 UTC"), pulls.UnlockLabel)
		p.notes = append(p.notes, p.lockedBy)
	}
	return nil
}

// keepLock says that the pull request holds the target from now on. A lock that protects
// nothing is ended instead: the pull request does not change this target, or no more.
func (p *planning) keepLock(ctx context.Context) error {
	if p.locking == nil || p.lockedBy != "" {
		return nil
	}
	if p.record.Outcome != planstore.OutcomeNoChanges {
		p.notes = append(p.notes, "This pull request holds the lock of this target until it is applied or closed, also when this plan has expired.")
		return nil
	}
	err := p.store.ReleaseLock(ctx, *p.locking)
	if errors.Is(err, planstore.ErrConflict) {
		return nil // it is somebody else's, or over, already
	}
	return err
}

// clearStatus ends the failed status on the pull request's head that an apply of another
// one has set, when all is planned again. That it could not is a warning: the plans are
// stored, and a status decides nothing.
func (s *session) clearStatus(ctx context.Context, planned ...planstore.Target) {
	if s.pull.Number == 0 || s.Token == "" || len(planned) == 0 {
		return
	}
	err := s.pulls.ClearStatus(ctx, s.stores, s.pull.Number, s.commit, s.context.RunURL, planned)
	if err == nil || errors.Is(err, github.ErrPermission) { // then apply could set none, either
		return
	}
	s.Runtime.Warning(gha.Annotation{Message: fmt.Sprintf("The status %s of this pull request's head may be out of date: %v", pulls.StatusContext, err)})
}
