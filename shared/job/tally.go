package job

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Tally gathers what became of the many targets of a job. Its methods may be called side
// by side.
type Tally struct {
	Summary *report.Many

	mu          sync.Mutex
	failed      []string
	annotations []gha.Annotation
	trouble     error
}

// Add adds a target to the summary; see [report.Many.Add].
func (t *Tally) Add(e report.Entry, render func(limit int) string) {
	t.Trouble(t.Summary.Add(e, render))
}

// AddLeft adds a target that is no longer in Git.
func (t *Tally) AddLeft(r *gha.Runtime, l Left) {
	e := report.Entry{Component: l.Component, Stack: l.Stack, Status: report.Deleted}
	if l.Unchecked != nil {
		e.Note = "whether it was ever applied could not be checked: " + r.Redacted(l.Unchecked.Error())
	}
	t.Add(e, nil)
}

// Fail notes that a target failed, and where and why; without a place, the error says it.
func (t *Tally) Fail(name inventory.Name, err error, at ...gha.Annotation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.failed, name.String()) {
		t.failed = append(t.failed, name.String())
	}
	if len(at) == 0 {
		at = []gha.Annotation{{Message: problem.Text(err)}}
	}
	t.annotations = append(t.annotations, at...)
}

// Trouble notes an error that is of no one target; nil is none.
func (t *Tally) Trouble(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trouble = errors.Join(t.trouble, err)
}

const (
	// maxAnnotations is how many errors a step can show; GitHub drops the others.
	// https://docs.github.com/actions/reference/limits
	maxAnnotations = 10
	// maxNamed is how many failed targets an error names; the summary has them all.
	maxNamed = 20
)

// End makes the job's result. It fails when a target failed: format says so with their
// number and their names.
func (t *Tally) End(format string, outputs map[string]string) (Result, error) {
	summary, err := t.Summary.Markdown(markdown.SummaryLimit)
	t.Trouble(err)
	t.mu.Lock()
	defer t.mu.Unlock()
	result := Result{Summary: summary, Outputs: outputs, Annotations: t.annotations}
	var whole error
	if n := len(t.failed); n > 0 {
		slices.Sort(t.failed)
		names := strings.Join(t.failed[:min(maxNamed, n)], ", ")
		if more := n - maxNamed; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		whole = problem.With(problem.Targets, fmt.Errorf(format, n, names))
		// Last, since it says what the job's end is about.
		result.Annotations = append(result.Annotations[:min(len(result.Annotations), maxAnnotations-1)], gha.Annotation{Message: problem.Text(whole)})
	}
	if t.trouble != nil {
		result.Annotations = append(result.Annotations, gha.Annotation{Message: problem.Text(t.trouble)})
	}
	return result, errors.Join(whole, t.trouble)
}
