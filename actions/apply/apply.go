// Command apply is the apply action: it fetches the planfile that was reviewed,
// proves that it is still that one and still fits, claims it, and applies it,
// once. It decides which plan that is; package apply does the rest.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/report"
)

// Inputs are the action's inputs; action.yml describes them.
type Inputs struct {
	job.Inputs
	Verification apply.Verification
}

// Deps are what Run works with, so that a test can replace them.
type Deps struct {
	Runtime *gha.Runtime
	Environ []string // of the process: what of it Terraform may see is decided by package terraform
	Now     func() time.Time
	// Signals receives the signals that follow the one that cancelled ctx.
	Signals <-chan os.Signal
}

// ReadInputs reads the action's inputs. Its error names each that is missing or
// out of its choices.
func ReadInputs(r *gha.Runtime) (Inputs, error) {
	read := r.Inputs()
	in := Inputs{
		Inputs:       job.ReadInputs(r, read, "apply-role"),
		Verification: apply.Verification(read.Choice("verification", string(apply.Strict), string(apply.Replan), string(apply.None))),
	}
	if err := read.Err(); err != nil {
		return Inputs{}, err
	}
	return in, in.Check()
}

// Run applies the target's reviewed planfile.
//
// A *[apply.Refusal] says why nothing was applied. Whatever else goes wrong after the
// plan was claimed is recorded with the claim before Run returns.
func Run(ctx context.Context, in Inputs, d Deps) (job.Result, error) {
	outcome, err := apply.Run(ctx, apply.Options{
		Inputs: in.Inputs, Verification: in.Verification,
		Runtime: d.Runtime, Environ: d.Environ, Now: d.Now, Signals: d.Signals,
	}, func(ctx context.Context, w *apply.Work) error {
		c := &choice{Work: w, runtime: d.Runtime, sha: in.SHA}
		if err := c.choose(ctx); err != nil {
			return err
		}
		return w.Apply(ctx)
	})
	var skipped *job.Skipped
	if errors.As(err, &skipped) {
		return skipped.Result(d.Runtime, map[string]string{"status": "skipped", "outputs": "{}"}), nil
	}
	return result(d.Runtime, outcome), err
}

// maxOutputs is how many bytes of values the output `outputs` can have. An apply
// that succeeded must not fail for more.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs
const maxOutputs = 1 << 20

// result makes the summary and outputs of what happened.
func result(r *gha.Runtime, o apply.Outcome) job.Result {
	status := "failed"
	if o.Succeeded() {
		status = "succeeded"
	}
	outputs := map[string]json.RawMessage{}
	for _, output := range o.Report.Outputs {
		if !output.Sensitive {
			outputs[output.Name] = output.Value
		}
	}
	values, err := json.Marshal(outputs)
	if err != nil { // a RawMessage that Terraform wrote is valid JSON
		values = []byte("{}")
	}
	if len(values) > maxOutputs {
		o.Report.Notes = append(o.Report.Notes, fmt.Sprintf("The output \"outputs\" of this step is empty: the values have %d bytes, and GitHub takes %d.", len(values), maxOutputs))
		values = []byte("{}")
	}
	return job.Result{
		Summary:     job.Redact(r, o.Report).Markdown(report.SummaryLimit),
		Outputs:     map[string]string{"status": status, "outputs": string(values)},
		Annotations: o.Annotations,
	}
}
