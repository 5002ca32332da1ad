package action

import (
	"errors"
	"maps"
	"slices"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Result is what an action returns for the workflow and its readers. There may be a result and an
// error: a failed plan has a summary, too.
type Result struct {
	Summary     string // Markdown for the job summary, at most markdown.SummaryLimit bytes
	Outputs     map[string]string
	Annotations []gha.Annotation // errors at a file and line
}

// Finish passes the result to the runner and returns the exit status: 0, or 1 if the job must fail.
// The error becomes one annotation that ends in its code (see problem.Text), unless the result
// already has annotations, which say where the error is.
func Finish(r *gha.Runtime, result Result, err error) int {
	status := finish(r, result, err)
	r.LeaveStatus(status)
	return status
}

func finish(r *gha.Runtime, result Result, err error) int {
	if result.Summary != "" {
		if result.Outputs == nil {
			result.Outputs = map[string]string{}
		}
		err = errors.Join(err, r.AddSummary(result.Summary))
		result.Outputs["summary"] = result.Summary
	}
	for _, name := range slices.Sorted(maps.Keys(result.Outputs)) {
		err = errors.Join(err, r.SetOutput(name, result.Outputs[name]))
	}
	for _, a := range result.Annotations {
		r.Error(a)
	}
	if err == nil {
		return 0
	}
	if len(result.Annotations) == 0 {
		r.Error(Annotation(err))
	}
	return 1
}

// Annotation returns an annotation for an error, at its place in a file if it has one.
func Annotation(err error) gha.Annotation {
	a := gha.Annotation{Message: problem.Text(err)}
	var placed problem.Placed
	if errors.As(err, &placed) {
		a.File, a.Line, a.Column = placed.Place()
	}
	return a
}
