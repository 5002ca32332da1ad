package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
)

// remediate applies the drift plan that the issue shows, and reports the result on the issue.
func (w *work) remediate(ctx context.Context) (action.Result, error) {
	if w.issue.State != "open" {
		return nothing(w.Runtime, fmt.Sprintf("issue #%d is closed", w.issue.Number)), nil
	}
	if !w.issue.HasLabel(drift.LabelApply) {
		return nothing(w.Runtime, fmt.Sprintf("issue #%d does not have the label %s (any more)", w.issue.Number, drift.LabelApply)), nil
	}
	at, by, err := w.github.LabelledAt(ctx, w.actx.Repository, w.issue.Number, drift.LabelApply)
	if err != nil {
		return action.Result{}, err
	}
	if e := w.event.Issue; e != nil && by != "" && !strings.EqualFold(e.Sender, by) {
		return nothing(w.Runtime, fmt.Sprintf("the label %s of issue #%d was removed and added again by %s meanwhile: the run for that decides", drift.LabelApply, w.issue.Number, by)), nil
	}

	r := &remediation{work: w, labelledAt: at}
	outcome := apply.Outcome{Decision: apply.Refused}
	outcome.Err = r.check(ctx, by)
	outcome.Target = w.target
	var refusal *apply.Refusal
	switch {
	case errors.As(outcome.Err, &refusal):
	case outcome.Err != nil:
		return action.Result{}, outcome.Err // GitHub does not answer, so no comment is possible either
	default:
		if outcome.Err = w.open(ctx); outcome.Err != nil {
			outcome.Decision = apply.Failed
			break
		}
		outcome = apply.Run(ctx, w.target, apply.Options{
			Repository: w.repository, Inputs: w.Inputs.Inputs, Verification: apply.Strict,
			Pulls:   pulls.New(func() (*github.Client, error) { return w.github, nil }, w.actx.Repository).WithTeams(w.repository.GitHubForTeams),
			Runtime: w.Runtime, Now: w.Now, Signals: w.Signals,
			Merge: apply.Merge{
				Environment: func(inventory.Name) string { return w.Environment },
				Event:       w.event.Name, Branch: w.event.DefaultBranch,
			},
		}, r.apply)
	}
	if outcome.Applied || r.before != nil {
		r.supersede(ctx)
	}
	return r.tell(ctx, outcome)
}

// remediation is the work on an issue with the label.
type remediation struct {
	*work
	labelledAt time.Time // zero: unknown
	store      *planstore.Store
	link       drift.Link
	fixed      *apply.Refusal   // why the plan can't be applied; the drift is already gone
	before     *planstore.Claim // the claim of an earlier apply of the plan
}

// check refuses the remediation for reasons that only GitHub knows.
func (r *remediation) check(ctx context.Context, by string) error {
	named := r.named()
	if by == "" {
		return r.refuse(problem.With(problem.DriftIssue, fmt.Errorf("GitHub does not say yet who added the label %s", drift.LabelApply)), "Remove the label and add it again.")
	}
	if err := r.mayApply(ctx, by); err != nil {
		return err
	}
	if !r.issue.Ours {
		return r.refuse(problem.With(problem.DriftIssue, fmt.Errorf("this issue was opened by %s, not with the token of this action", r.issue.Author)), "A plan is applied only from an issue that the drift detection opened. Give drift-detection and drift-remediation the same `token`.")
	}
	if !named {
		return r.refuse(problem.With(problem.DriftIssue, errors.New("the issue no longer says which target it is about")), "The next drift detection restores that line at the beginning of the issue's text: add the label after that.")
	}
	if branch := "refs/heads/" + r.event.DefaultBranch; r.actx.Ref != branch {
		return r.refuse(problem.With(problem.Event, fmt.Errorf("this run is on %s, but drift is a difference from %s", r.actx.Ref, branch)), "Run the workflow on the default branch.")
	}
	return nil
}

// apply finds the plan that the issue shows and applies it, unless it was already applied.
func (r *remediation) apply(ctx context.Context, w *apply.Work) (err error) {
	if err := r.checkEnvironment(w.Workspace.Settings); err != nil {
		return r.refuse(err, "Remove the label and add it again.")
	}
	if r.store, err = r.openStore(ctx, w.Workspace); err != nil {
		return err
	}
	stored, err := r.shown(ctx, w.Workspace.Key())
	if err != nil {
		return err
	}
	w.Take(r.store, stored)
	err = w.Apply(ctx)
	var refusal *apply.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	if claim := refusal.Claim; claim != nil && claim.Status == planstore.StatusApplied {
		r.before = claim
		return nil
	}
	if refusal.StateChanged {
		nothingLeft, planErr := w.NothingLeft(ctx)
		if nothingLeft {
			r.fixed = refusal
			return nil
		}
		return errors.Join(err, planErr)
	}
	return err
}
