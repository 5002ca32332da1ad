package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// lookUp returns the environment of the issue's target, for the job that remediates or discards. It
// decides nothing else: the text of the issue may change until then, and that job reads it again.
func (w *work) lookUp(ctx context.Context) (action.Result, error) {
	environment := w.environment("")
	if w.named() {
		if err := w.open(ctx); err != nil {
			return action.Result{}, err
		}
		t, err := w.repository.Find(ctx, w.target)
		switch {
		case errors.Is(err, inventory.ErrUnknownTarget): // the job says so on the issue
		case err != nil && w.leftOut(err) == nil:
			return action.Result{}, err
		case err == nil:
			environment = w.environment(t.Settings.Environment)
		}
	}
	if err := action.Readable(w.Runtime, environment); err != nil {
		return action.Result{}, err
	}
	return action.Result{
		Summary: fmt.Sprintf("The issue is decided under the environment %s.\n", markdown.Code(environment)),
		Outputs: map[string]string{"status": string(Nothing), "environment": environment},
	}, nil
}

// environment returns the environment of a target whose configuration names one, or none.
func (w *work) environment(named string) string {
	return cmp.Or(named, w.DefaultEnvironment, w.Environment)
}

// checkEnvironment refuses a target of another environment than the job's, whose reviewers were not
// asked: the issue may have named another target when the environment was looked up.
func (w *work) checkEnvironment(s inventory.Effective) error {
	if own := w.environment(s.Environment); w.Environment != "" && !strings.EqualFold(own, w.Environment) {
		return problem.With(problem.DriftIssue, fmt.Errorf("%s is applied under the environment %q, and this job's is %q", w.target, own, w.Environment))
	}
	return nil
}
