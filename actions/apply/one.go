package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// one applies the plan of the target that the inputs name.
func (m *merge) one(ctx context.Context) (job.Result, error) {
	name := inventory.Name{Component: m.Component, Stack: m.Stack}
	var c chosen
	outcome, err := apply.Run(ctx, m.options(name, m.Signals), func(ctx context.Context, w *apply.Work) error {
		var err error
		if c.store, err = w.Store(ctx); err != nil {
			return err
		}
		c.stored, err = m.find(ctx, c.store, name)
		if c.stored.Record.Commit != "" {
			w.Take(c.stored)
		}
		if err != nil {
			return err
		}
		if err := m.checkExpected(c.stored.Record.ApprovalDigest()); err != nil {
			return w.Refuse(err, adviceOnDigest)
		}
		w.PlanAnew(m.anew(ctx, w.Job.Target, c.stored.Record))
		if m.DryRun {
			return w.Review(ctx)
		}
		return w.Apply(ctx)
	})
	var skipped *job.Skipped
	if errors.As(err, &skipped) {
		return skipped.Result(m.Runtime, nothing("skipped")), nil
	}
	result := result(m.Runtime, outcome)
	if c.stored.Record.Digest != "" {
		result.Outputs["digest"] = c.stored.Record.ApprovalDigest()
	}
	if outcome.Applied {
		result.Outputs["superseded"] = m.supersede(ctx, []chosen{c})
	}
	return result, err
}

// options are for the work on one target.
func (m *merge) options(name inventory.Name, signals <-chan os.Signal) apply.Options {
	in := m.Inputs.Inputs
	in.Component, in.Stack = name.Component, name.Stack
	return apply.Options{
		Inputs: in, Repository: m.repository, Pulls: m.pulls, Verification: m.Verification, AcceptNewState: m.AcceptNewState,
		StorageRole: m.storageRole,
		Runtime:     m.Runtime, Environ: m.Environ, Now: m.Now, Signals: signals,
	}
}

// nothing are the outputs of a run that has nothing to apply.
func nothing(status string) map[string]string {
	return map[string]string{"status": status, "outputs": "{}", "count": "0", "has-changes": "false"}
}

// maxOutputs is how many bytes of values the output `outputs` can have. An apply
// that succeeded must not fail for more.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
const maxOutputs = 1 << 20

// result makes the summary and outputs of what happened to one target.
func result(r *gha.Runtime, o apply.Outcome) job.Result {
	status := "failed"
	if o.Succeeded() {
		status = "succeeded"
	}
	values, err := json.Marshal(public(o))
	if err != nil { // a RawMessage that Terraform wrote is valid JSON
		values = []byte("{}")
	}
	if len(values) > maxOutputs {
		o.Report.Notes = append(o.Report.Notes, fmt.Sprintf("The output \"outputs\" of this step is empty: the values have %d bytes, and GitHub takes %d.", len(values), maxOutputs))
		values = []byte("{}")
	}
	return job.Result{
		Summary:     job.Redact(r, o.Report).Markdown(markdown.SummaryLimit),
		Outputs:     map[string]string{"status": status, "outputs": string(values), "digest": o.Report.Digest, "count": "1", "has-changes": strconv.FormatBool(o.HasChanges)},
		Annotations: o.Annotations,
	}
}

// public are the outputs that are not sensitive.
func public(o apply.Outcome) map[string]json.RawMessage {
	outputs := map[string]json.RawMessage{}
	for _, output := range o.Report.Outputs {
		if !output.Sensitive {
			outputs[output.Name] = output.Value
		}
	}
	return outputs
}
