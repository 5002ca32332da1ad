package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/fleet"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/repository"
)

// refuse returns a refusal of the remediation.
func (w *work) refuse(reason error, next string) *apply.Refusal {
	return &apply.Refusal{Target: w.subject(), Reason: reason, Next: next}
}

const (
	// commentSize is the maximal size of a report in a comment, in bytes: the counts and the first
	// resources. The job summary has all of it.
	commentSize = 8 << 10
	// tellTimeout limits the time to report the result, which is done after a cancel, too.
	tellTimeout = time.Minute
)

const repair = "Fix the cause. The state has what was applied. " + apply.DetectAgain + " Then the label " + drift.LabelApply + " can be added again."

// tell reports the result on the issue. It changes the link first. Then only one run reports, and
// drift detection doesn't think that a person closed the issue.
func (r *remediation) tell(ctx context.Context, o apply.Outcome) (action.Result, error) {
	cancelled := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	if out := r.leftOut(o.Err); out != nil {
		o.Decision, o.Err = apply.Refused, out
	}
	var refusal *apply.Refusal
	var status Status
	var told error
	var next []string
	switch {
	case r.fixed != nil:
		return r.tellFixed(ctx)
	case r.before != nil:
		return r.tellBefore(ctx)
	case o.Err == nil:
		status = Remediated
		if o.Decision == apply.Unchanged {
			status = Fixed
		}
		_, told = r.done(ctx, status, r.short(o))
	case errors.As(o.Err, &refusal):
		if issue, readErr := r.github.Issue(ctx, r.actx.Repository, r.issue.Number); readErr == nil && issue.State != "open" {
			return nothing(r.Runtime, fmt.Sprintf("issue #%d was closed meanwhile (%v)", issue.Number, o.Err)), nil
		}
		status, told = Refused, r.notDone(ctx, r.short(o))
	case cancelled && !o.Claimed:
		status = Failed // the issue stays as it is: the job can be run again
	default:
		status, told = Failed, r.notDone(ctx, r.short(o, repair), drift.LabelFailed)
		next = append(next, repair)
	}
	return r.result(status, r.report(o, next...).Markdown(markdown.SummaryLimit), fleet.ApplyAnnotations(o), told), errors.Join(o.Err, told)
}

// leftOut returns a refusal if the target can't be worked on, and nil for any other error.
func (w *work) leftOut(err error) *apply.Refusal {
	var skipped *repository.Skipped
	switch {
	case errors.As(err, &skipped):
		return w.refuse(err, "Change the target's settings, or revert the drift by hand.")
	case errors.Is(err, inventory.ErrUnknownTarget):
		return w.refuse(err, "The next drift detection closes this issue, since the target is no longer in Git.")
	}
	return nil
}

// tellFixed closes an issue whose drift is already gone. Its plan can't be applied any more.
func (r *remediation) tellFixed(ctx context.Context) (action.Result, error) {
	text := fmt.Sprintf("## ✅ No drift any more in %s in %s\n\n%sNothing was applied: %s. A new plan has no changes.\n",
		markdown.Code(r.target.Component), markdown.Code(r.target.Stack), r.runLine(), markdown.Text(r.fixed.Reason.Error()))
	text = r.Runtime.Redacted(text)
	_, told := r.done(ctx, Fixed, text)
	return r.result(Fixed, text, nil, told), told
}

// tellBefore completes the report of another run that applied the plan and then stopped.
func (r *remediation) tellBefore(ctx context.Context) (action.Result, error) {
	text := fmt.Sprintf("## ✅ Applied %s in %s before\n\n%sThe plan was applied by %s, which ended before it closed this issue.\n",
		markdown.Code(r.target.Component), markdown.Code(r.target.Stack), r.runLine(), markdown.Link("another run", r.before.Run.URL))
	ours, told := r.done(ctx, Remediated, text)
	if !ours && told == nil {
		return nothing(r.Runtime, fmt.Sprintf("the plan of issue #%d was just applied by %s", r.issue.Number, r.before.Run.URL)), nil
	}
	return r.result(Remediated, text, nil, told), told
}

func (r *remediation) result(status Status, summary string, annotations []gha.Annotation, told error) action.Result {
	if len(annotations) > 0 && told != nil {
		annotations = append(annotations, gha.Annotation{Message: told.Error()})
	}
	return action.Result{Summary: summary, Outputs: map[string]string{"status": string(status)}, Annotations: annotations}
}

// report returns the report of an outcome, with further steps to take.
func (r *remediation) report(o apply.Outcome, next ...string) report.Apply {
	a := fleet.ApplyReport(o, r.actx)
	a.NextSteps = append(a.NextSteps, next...)
	return action.Redact(r.Runtime, a)
}

// short returns the report for a comment.
func (r *remediation) short(o apply.Outcome, next ...string) string {
	o.Outputs, o.Settings = nil, nil
	return r.report(o, next...).Markdown(commentSize)
}

// done removes the issue from its link, comments, and closes the issue. It returns false if another
// run has already done so.
func (r *remediation) done(ctx context.Context, status Status, comment string) (bool, error) {
	ours, err := writeLink(ctx, r.store, r.link, forget)
	if err != nil {
		return false, fmt.Errorf("%w: issue #%d stays open, and the next drift detection closes it", err, r.issue.Number)
	}
	if !ours {
		return false, nil
	}
	repo, n := r.actx.Repository, r.issue.Number
	told := r.comment(ctx, comment)
	for _, label := range []string{drift.LabelApply, drift.LabelFailed} {
		if r.issue.HasLabel(label) {
			told = errors.Join(told, r.github.RemoveLabel(ctx, repo, n, label))
		}
	}
	if status == Remediated {
		told = errors.Join(told, r.github.AddLabels(ctx, repo, n, drift.LabelRemediated))
	}
	_, err = r.github.EditIssue(ctx, repo, n, github.IssueEdit{State: "closed", StateReason: "completed"})
	return true, errors.Join(told, err)
}

// notDone comments and removes the label, so that it can be added again.
func (r *remediation) notDone(ctx context.Context, comment string, labels ...string) error {
	repo, n := r.actx.Repository, r.issue.Number
	return errors.Join(
		r.comment(ctx, comment),
		r.github.AddLabels(ctx, repo, n, labels...),
		r.github.RemoveLabel(ctx, repo, n, drift.LabelApply))
}

// comment comments on the issue, unless its conversation is locked. The job summary has the text, too.
func (w *work) comment(ctx context.Context, text string) error {
	err := w.github.CommentOnIssue(ctx, w.actx.Repository, w.issue.Number, text)
	if errors.Is(err, github.ErrLocked) {
		w.Runtime.Warning(gha.Annotation{Message: err.Error()})
		return nil
	}
	return err
}

// run returns a link to this run.
func (w *work) runLine() string {
	if w.actx.RunURL == "" {
		return ""
	}
	return markdown.Link("This run", w.actx.RunURL) + "\n\n"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
