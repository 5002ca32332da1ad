package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Tally collects the results of a run's targets. Its methods may be called concurrently.
type Tally struct {
	Runtime *gha.Runtime
	Summary *report.Many

	mu          sync.Mutex
	targets     int
	failed      map[inventory.Name]error
	annotations []gha.Annotation
	denials     map[string][]inventory.Name // by what the policies say
	trouble     error
}

// add adds a target to the summary; see [report.Many.Add].
func (t *Tally) add(e report.Entry, r report.Report) {
	t.Trouble(t.Summary.Add(e, r))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.targets++
}

// AddSelected adds a target that another job will plan, and why it was selected.
func (t *Tally) AddSelected(n inventory.Name, why []string) {
	t.add(report.Entry{Component: n.Component, Stack: n.Stack, Status: report.Selected, Note: strings.Join(why, "; ")}, nil)
}

// AddOutside adds a target that is not affected and not in the sparse checkout.
func (t *Tally) AddOutside(n inventory.Name) {
	t.add(report.Entry{Component: n.Component, Stack: n.Stack, Status: report.Skipped, Note: "outside of the sparse checkout, and not affected"}, nil)
}

// AddSkipped adds a target that its settings leave out.
func (t *Tally) AddSkipped(n inventory.Name, why string) {
	t.add(report.Entry{Component: n.Component, Stack: n.Stack, Status: report.Skipped, Note: why}, nil)
}

// AddLeft adds a target that is no longer in Git.
func (t *Tally) AddLeft(l repository.Left) {
	e := report.Entry{Component: l.Component, Stack: l.Stack, Status: report.Deleted}
	if l.Unchecked != nil {
		e.Note = "whether it was ever applied could not be checked: " + t.Runtime.Redacted(l.Unchecked.Error())
	}
	t.Trouble(t.Summary.Add(e, nil))
}

// fail records a target's error and its annotations. If there are none, the error becomes one.
func (t *Tally) fail(n inventory.Name, err error, at ...gha.Annotation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = map[inventory.Name]error{}
	}
	t.failed[n] = errors.Join(t.failed[n], err)
	if len(at) == 0 {
		at = []gha.Annotation{action.Annotation(err)}
	}
	t.annotations = append(t.annotations, at...)
}

// deny records that the policies deny a target's plan. Targets that they deny for the same reason
// have one annotation.
func (t *Tally) deny(n inventory.Name, err error, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = map[inventory.Name]error{}
	}
	if t.denials == nil {
		t.denials = map[string][]inventory.Name{}
	}
	t.failed[n], t.denials[reason] = err, append(t.denials[reason], n)
}

// denied are the annotations of what the policies deny, the most frequent first.
func (t *Tally) denied() (all []gha.Annotation) {
	reasons := slices.SortedFunc(maps.Keys(t.denials), func(a, b string) int {
		return cmp.Or(len(t.denials[b])-len(t.denials[a]), cmp.Compare(a, b))
	})
	for _, reason := range reasons {
		all = append(all, action.Annotation(denied(namesOf(t.denials[reason]), reason)))
	}
	return all
}

// Trouble records an error that is not about one target. It ignores nil.
func (t *Tally) Trouble(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trouble = errors.Join(t.trouble, err)
}

const (
	// maxAnnotations is the number of errors that GitHub shows for a step; it drops the others.
	// https://docs.github.com/actions/reference/limits
	maxAnnotations = 10
	// maxNamed is the number of failed targets that an error names. The summary has all of them.
	maxNamed = 20
)

// End returns the run's result. If the run had only one target and it failed, End returns that
// target's error. Otherwise format makes an error from how many targets failed (%s, such as
// "2 targets") and which (%s).
func (t *Tally) End(format string, outputs map[string]string) (action.Result, error) {
	summary, err := t.Summary.Markdown(markdown.SummaryLimit)
	t.Trouble(err)
	t.mu.Lock()
	defer t.mu.Unlock()
	result := action.Result{Summary: summary, Outputs: outputs, Annotations: append(t.annotations, t.denied()...)}
	var whole error
	if n := len(t.failed); n > 0 && t.targets == 1 {
		for _, whole = range t.failed { // the only one
		}
	} else if n > 0 {
		whole = problem.With(problem.Targets, fmt.Errorf(format, count(n), namesOf(slices.Collect(maps.Keys(t.failed)))))
		// Last, since it explains why the job failed.
		result.Annotations = append(result.Annotations[:min(len(result.Annotations), maxAnnotations-1)], gha.Annotation{Message: problem.Text(whole)})
	}
	if t.trouble != nil {
		result.Annotations = append(result.Annotations, gha.Annotation{Message: problem.Text(t.trouble)})
	}
	return result, errors.Join(whole, t.trouble)
}

func count(targets int) string {
	if targets == 1 {
		return "1 target"
	}
	return fmt.Sprintf("%d targets", targets)
}

func namesOf(targets []inventory.Name) string {
	var names []string
	for _, n := range targets {
		names = append(names, n.String())
	}
	slices.Sort(names)
	list := strings.Join(names[:min(maxNamed, len(names))], ", ")
	if more := len(names) - maxNamed; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// annotations returns Terraform's errors with their places in the repository, and then trouble. It
// returns none if there is no error of Terraform's.
func annotations(dir string, diagnostics []terraform.Diagnostic, trouble error) (all []gha.Annotation) {
	for _, d := range diagnostics {
		if d.Severity != "error" {
			continue
		}
		a := gha.Annotation{Title: d.Summary, Line: d.Line, EndLine: d.EndLine, Message: d.Detail}
		if d.File != "" {
			a.File = path.Join(dir, filepath.ToSlash(d.File))
		}
		if a.Message == "" {
			a.Message = d.Summary
		}
		all = append(all, a)
	}
	if len(all) > 0 && trouble != nil {
		all = append(all, action.Annotation(trouble))
	}
	return all
}

// Names joins the names of targets for a message.
func Names(list []inventory.Name) string {
	var all []string
	for _, n := range list {
		all = append(all, n.String())
	}
	return strings.Join(all, " and ")
}
