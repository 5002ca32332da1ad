package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ApplyResult is what an apply did, also one that failed or was interrupted.
type ApplyResult struct {
	Resources   []ResourceResult // in the order in which Terraform began them
	Outputs     []Output         // by name; none unless the apply succeeded
	Diagnostics []Diagnostic
	Summary     ApplySummary
	Version     Version
	// ErroredState is the file that holds the state when Terraform could not
	// persist it: errored.tfstate in Dir, or a temporary file where not even that
	// could be written. Empty when the state was persisted. It is all that is left
	// of what was applied: store it, and `terraform state push` it.
	ErroredState string
}

// ApplySummary counts as Terraform does in its last line: a replaced resource is
// both added and destroyed. Of a failed apply it holds what was done until then,
// imports left out.
type ApplySummary struct{ Added, Changed, Destroyed, Imported int }

// Apply applies a planfile. The result is meaningful also with an error, which is
// a *CommandError once Terraform has run; errors.Is finds [ErrStalePlan],
// [ErrStateLocked] and [ErrInterrupted].
//
// It begins with [CLI.CheckApply], and waits for the state's lock for up to [LockTimeout].
// Variable files are for [Planfile.Ephemeral] only: without ephemeral variables,
// Terraform before 1.10 refuses any.
func (c *CLI) Apply(ctx context.Context, planfile string, varFiles ...string) (ApplyResult, error) {
	if err := c.CheckApply(planfile); err != nil {
		return ApplyResult{}, err
	}
	args := []string{"apply", "-json", "-no-color", "-input=false"}
	for _, file := range varFiles {
		args = append(args, "-var-file="+file)
	}
	args = append(append(args, c.lockTimeout("apply")...), planfile)
	r := applyReader{begun: map[operation]int{}}
	t := c.transcript(r.message)
	_, err := c.run(ctx, c.Workspace, args, t, 0)

	result := ApplyResult{
		Resources:    r.resources,
		Outputs:      r.outputs,
		Diagnostics:  t.diagnostics,
		Summary:      r.total(),
		Version:      t.version,
		ErroredState: r.dump, // which is complete, and errored.tfstate then is not
	}
	// After a success the file is of another run in this directory.
	if result.ErroredState == "" && err != nil && !errors.Is(err, ErrAfterTerraform) {
		result.ErroredState = c.ErroredStatePath()
	}
	return result, errors.Join(err, r.dumpErr)
}

// CheckApply refuses what Apply refuses before Terraform is started: an
// errored.tfstate in Dir, which Terraform would overwrite, so that a state that
// was never pushed would be lost; and a planfile that was made in another
// workspace than the one selected, which Terraform does not look at, and tells
// only by chance, through lineage and serial.
func (c *CLI) CheckApply(planfile string) error {
	args := []string{"apply", planfile}
	if path := c.ErroredStatePath(); path != "" {
		return problem.With(problem.ErroredState, fmt.Errorf("%s: %s holds a state that an earlier apply could not persist: "+
			"push it (`terraform state push errored.tfstate`) and remove it first", c.name(args), path))
	}
	if err := c.checkWorkspace(planfile); err != nil {
		return fmt.Errorf("%s: %w", c.name(args), err)
	}
	return nil
}

// ErroredStatePath is the errored.tfstate in Dir, which Terraform writes when it
// can't persist the state; empty when there is none.
func (c *CLI) ErroredStatePath() string {
	path := filepath.Join(c.Dir, "errored.tfstate")
	if _, err := os.Lstat(path); os.IsNotExist(err) {
		return ""
	}
	return path
}

// applyReader gathers the result of an apply from its messages.
type applyReader struct {
	resources []ResourceResult
	begun     map[operation]int // index in resources of what has no end yet
	outputs   []Output
	summary   *ApplySummary
	dump      string
	dumpErr   error
}

type operation struct{ address, action string }

func (r *applyReader) message(m *message) {
	switch m.Type {
	case "apply_start", "apply_complete", "apply_errored":
		var h hookMessage
		if decode(m.Hook, &h) {
			r.hook(m.Type, h)
		}
	case "change_summary":
		var s changesMessage
		if decode(m.Changes, &s) && s.Operation != "plan" {
			r.summary = &ApplySummary{Added: s.Add, Changed: s.Change, Destroyed: s.Remove, Imported: s.Import}
		}
	case "outputs":
		var outputs map[string]outputMessage
		if decode(m.Outputs, &outputs) {
			r.setOutputs(outputs)
		}
	case "log":
		if m.State.Kind() == '{' {
			r.dump, r.dumpErr = saveState(m.State)
		}
	}
}

func (r *applyReader) hook(kind string, h hookMessage) {
	if h.Action == "read" || h.Action == "noop" {
		return // data sources: nothing of theirs is applied
	}
	op := operation{h.Resource.Address, h.Action}
	i, begun := r.begun[op]
	if kind == "apply_start" || !begun {
		i = len(r.resources)
		r.resources = append(r.resources, ResourceResult{Address: op.address, Action: op.action})
	}
	result := &r.resources[i]
	switch kind {
	case "apply_start":
		result.Status = Unfinished
		r.begun[op] = i
		return
	case "apply_complete":
		result.Status = Applied
	case "apply_errored":
		result.Status = Failed
	}
	result.Elapsed = time.Duration(h.Elapsed * float64(time.Second))
	delete(r.begun, op)
}

func (r *applyReader) setOutputs(outputs map[string]outputMessage) {
	r.outputs = make([]Output, 0, len(outputs))
	for name, o := range outputs {
		if len(o.Type) == 0 {
			continue // only planned, or removed
		}
		output := Output{Name: name, Sensitive: o.Sensitive, Type: json.RawMessage(o.Type)}
		if !o.Sensitive {
			output.Value = json.RawMessage(o.Value)
		}
		r.outputs = append(r.outputs, output)
	}
	sort.Slice(r.outputs, func(i, j int) bool { return r.outputs[i].Name < r.outputs[j].Name })
}

// total is Terraform's own summary, or without one what was seen done.
func (r *applyReader) total() ApplySummary {
	if r.summary != nil {
		return *r.summary
	}
	var s ApplySummary
	for _, resource := range r.resources {
		if resource.Status != Applied {
			continue
		}
		switch resource.Action {
		case "create":
			s.Added++
		case "update":
			s.Changed++
		case "delete":
			s.Destroyed++
		}
	}
	return s
}

// saveState keeps a state that Terraform could only print.
func saveState(state []byte) (path string, err error) {
	f, err := os.CreateTemp("", "errored-*.tfstate") // mode 0600
	if err == nil {
		_, err = f.Write(state)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return "", problem.With(problem.ErroredState, fmt.Errorf("the state that Terraform could not persist cannot be stored, either: %w", err))
	}
	return f.Name(), nil
}
