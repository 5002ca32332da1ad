package apply

import (
	"context"
	"errors"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Outcome is what came of the work on a target.
type Outcome struct {
	// Report tells of it. It may hold secrets: see [job.Redact].
	Report report.Apply
	// Annotations are Terraform's errors at their place in the repository, and what
	// else went wrong beside them; none when the error of Run says it all.
	Annotations []gha.Annotation
	// HasChanges says that the plan has something to apply, or has to be made again to tell.
	HasChanges bool
	// Claimed says that the plan was claimed: something may have been changed.
	Claimed bool
	// Applied says that the plan was applied, and that this is recorded.
	Applied bool
}

// Succeeded reports whether everything that was to be applied was applied.
func (o Outcome) Succeeded() bool {
	return o.Report.Status == report.Succeeded || o.Report.Status == report.NoChanges || o.Report.Status == report.Planned
}

// ended adds to how an apply ended what the target's last apply tells beside the record.
func (w *Work) ended(ctx context.Context, r planstore.Result) planstore.Result {
	if checkout, err := w.options.Repository.Checkout(ctx); err == nil { // else it is not known
		r.MergedCommit = checkout.Commit
	}
	r.PlannedOn, r.After = w.newOn, w.after
	return r
}

func (w *Work) outcome(err error) Outcome {
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		refusal.Describe(&w.view)
	case err != nil:
		w.view.Status, w.view.Error = report.Failed, problem.Text(err)
	case w.view.Status == "":
		w.view.Status = report.Succeeded
	}
	o := Outcome{Report: w.view, HasChanges: w.hasChanges(), Claimed: w.claimed, Applied: w.applied}
	// A refusal and a cancel are told as what they are, not as what Terraform
	// had to say before its end.
	if w.Job != nil && refusal == nil && !errors.Is(err, terraform.ErrInterrupted) {
		o.Annotations = job.Annotations(w.Job.Target.Dir, w.view.Diagnostics)
		if len(o.Annotations) > 0 && w.trouble != nil {
			o.Annotations = append(o.Annotations, gha.Annotation{Message: problem.Text(w.trouble)})
		}
	}
	return o
}

// describe copies what is known of the plan into the report.
func (w *Work) describe() {
	r := w.stored.Record
	w.view.Commit, w.view.PullRequest, w.view.Digest, w.view.RecordID = r.Commit, r.PullRequest, r.Digest, r.ID()
	w.view.BuiltDigest, w.view.BuiltSize = r.BuiltDigest, r.BuiltSize
	w.view.Planned, w.view.BaseCommit, w.view.CreatedAt = r.Counts, r.BaseCommit, r.CreatedAt
	w.view.RunURL, w.view.Actor = w.Job.Context.RunURL, w.Job.Context.Actor
	w.view.TerraformName, w.view.TerraformVersion = r.TerraformName, r.TerraformVersion
	w.view.AtmosVersion = w.Job.AtmosVersion()
	w.view.Scope = r.Scope()
	if w.options.Debug {
		w.view.Settings = w.Job.Origins()
	}
}
