package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// shown finds the plan that the issue showed to the person who labelled it. Anyone may have changed
// the issue's text. So the target's link must name this issue and the record that it shows, and the
// record's ID proves its content.
func (r *remediation) shown(ctx context.Context, target planstore.Target) (planstore.Stored, error) {
	var none planstore.Stored
	const again = "Look at the drift and add the label again, once the next drift detection has written it."
	link, err := readLink(ctx, r.store, target)
	if err != nil {
		return none, err
	}
	r.link = link
	switch {
	case link.Number != r.issue.Number && link.Number == 0:
		return none, r.refuse(problem.With(problem.DriftIssue, errors.New("this issue is not, or no longer, the drift issue of its target")), again)
	case link.Number != r.issue.Number:
		return none, r.refuse(problem.With(problem.DriftIssue, fmt.Errorf("the drift issue of %s in %s is #%d, not this one", target.Component, target.Stack, link.Number)), "Add the label to that issue.")
	case link.RecordID == "":
		return none, r.refuse(problem.With(problem.DriftIssue, errors.New("the issue shows no plan that can be applied")), again)
	case drift.Plan(r.issue.Body) != link.RecordID || drift.SectionDigest(r.issue.Body) != link.SectionDigest:
		return none, r.refuse(problem.With(problem.DriftIssue, errors.New("the issue does not show what the drift detection wrote, so nobody can have seen what would be applied")), again)
	case !r.labelledAt.After(link.ShownAt):
		return none, r.refuse(problem.With(problem.DriftIssue, fmt.Errorf("the drift detection has put another plan into this issue (at %s) since the label was added (at %s)", stamp(link.ShownAt), stamp(r.labelledAt))), "Look at what has drifted now, then add the label again.")
	}
	stored, err := r.store.FindRecord(ctx, target, link.RecordID)
	switch {
	case errors.Is(err, planstore.ErrNotFound):
		return none, r.refuse(problem.With(problem.Expired, fmt.Errorf("the plan is gone: it expired at %s", stamp(link.ExpiresAt))), apply.DetectAgain)
	case errors.Is(err, planstore.ErrAltered), errors.Is(err, planstore.ErrNewerVersion):
		return none, r.refuse(err, apply.DetectAgain)
	case err != nil:
		return none, err
	case stored.Record.Kind != planstore.KindDrift, stored.Record.Digest != link.PlanDigest:
		return none, r.refuse(problem.With(problem.DriftIssue, errors.New("the stored plan is not the one that the issue shows")), apply.DetectAgain)
	}
	return stored, nil
}
