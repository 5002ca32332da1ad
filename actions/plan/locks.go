package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// onlyLocks handles runs that don't plan: the pull request was closed, or its locks have to be
// released.
func (s *session) onlyLocks(ctx context.Context) (done bool, _ action.Result, _ error) {
	pr := s.event.PullRequest
	closed := s.Lock && pr != nil && pr.Action == "closed"
	labelled := pr != nil && pr.Action == "labeled" && pr.Label == pulls.UnlockLabel
	if !closed && !labelled && !s.Unlock {
		return false, action.Result{}, nil
	}
	if s.pull.Number == 0 {
		return true, action.Result{}, problem.With(problem.Event, errors.New("input `unlock` is true, but this run has no pull request: run it on a pull request, or on workflow_dispatch with an input `pull-request`"))
	}
	said := fmt.Sprintf("pull request #%d is closed: there is nothing to plan", s.pull.Number)
	if labelled || s.Unlock || !pr.Merged {
		released, err := s.release(ctx)
		if err != nil {
			return true, action.Result{}, err
		}
		said = fmt.Sprintf("pull request #%d held no lock", s.pull.Number)
		if len(released) > 0 {
			said = fmt.Sprintf("pull request #%d no longer holds %s", s.pull.Number, strings.Join(released, ", "))
		}
	}
	s.Runtime.Notice(gha.Annotation{Message: said})
	outputs, err := outputsOf(nil)
	return true, action.Result{Summary: "🔓 " + markdown.Text(said) + ".\n", Outputs: outputs}, err
}

// release releases the locks of the pull request, and returns the names of their targets.
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

// stores returns the plan stores of all targets.
func (s *session) stores(ctx context.Context) ([]*planstore.Store, error) {
	listed, err := s.repository.Targets(ctx)
	if err != nil {
		return nil, err
	}
	return s.repository.Stores(ctx, listed, s.storageRole, s.Now)
}
