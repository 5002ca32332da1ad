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
	// Resources are in the order in which Terraform began them. After a failure or an interrupt,
	// those that it did not begin come last.
	Resources   []ResourceResult
	Outputs     []Output // by name; none unless the apply succeeded
	Diagnostics []Diagnostic
	// ErroredState is the file with the state that Terraform could not persist:
	// errored.tfstate in Dir, or a temporary file if Terraform could not write that
	// either. It is empty if the state was persisted. This file is the only record of
	// what was applied: store it, and `terraform state push` it.
	ErroredState string
}

// Apply applies a planfile. The result is meaningful also with an error, which is
// a *CommandError once Terraform has run; errors.Is finds [ErrStalePlan],
// [ErrStateLocked] and [ErrInterrupted].
//
// It begins with [CLI.CheckApply], and waits for the state's lock for some minutes.
// Give variable files only if the plan has ephemeral variables ([planfile.File.Ephemeral]):
// Terraform before 1.10 refuses variable files with a planfile.
func (c *CLI) Apply(ctx context.Context, planfile string, varFiles ...string) (ApplyResult, error) {
	if err := c.CheckApply(planfile); err != nil {
		return ApplyResult{}, err
	}
	args := []string{"apply", "-json", "-no-color", "-input=false"}
	for _, file := range varFiles {
		args = append(args, "-var-file="+file)
	}
	args = append(append(args, c.lockTimeoutArgs("apply")...), planfile)
	r := applyReader{begun: map[operation]int{}}
	t := c.transcript(r.message)
	_, err := c.run(ctx, c.Workspace, args, t, 0)

	if err != nil {
		r.addNotStarted()
	}
	result := ApplyResult{
		Resources:    r.resources,
		Outputs:      r.outputs,
		Diagnostics:  t.diagnostics,
		ErroredState: r.dump, // which is complete, and errored.tfstate then is not
	}
	// If the apply succeeded, the file is from another run in this directory.
	if result.ErroredState == "" && err != nil && !errors.Is(err, ErrAfterTerraform) {
		result.ErroredState = c.erroredState()
	}
	return result, errors.Join(err, r.dumpErr)
}

// CheckApply makes the checks that Apply makes before it starts Terraform. It refuses
//
//   - if there is an errored.tfstate in Dir: Terraform would overwrite it, and a state that
//     was never pushed would be lost;
//   - if the planfile was made in another workspace than the selected one. Terraform does
//     not check that: it notices only if lineage and serial happen to differ.
func (c *CLI) CheckApply(planfile string) error {
	args := []string{"apply", planfile}
	if path := c.erroredState(); path != "" {
		return problem.With(problem.ErroredState, fmt.Errorf("%s: %s holds a state that an earlier apply could not persist: "+
			"push it (`terraform state push errored.tfstate`) and remove it first", c.name(args), path))
	}
	if err := c.checkWorkspace(planfile); err != nil {
		return fmt.Errorf("%s: %w", c.name(args), err)
	}
	return nil
}

// erroredState is the path of errored.tfstate in Dir, which Terraform writes if it
// cannot persist the state; empty if there is none.
func (c *CLI) erroredState() string {
	path := filepath.Join(c.RunDir(), "errored.tfstate")
	if _, err := os.Lstat(path); os.IsNotExist(err) {
		return ""
	}
	return path
}

// applyReader gathers the result of an apply from its messages.
type applyReader struct {
	planned   []operation
	resources []ResourceResult
	begun     map[operation]int // index in resources of those that have not ended
	outputs   []Output
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
	case "planned_change":
		var h hookMessage
		if decode(m.Change, &h) {
			r.plan(h)
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

// plan remembers the operations of a change. Imports, moves and what is removed from the state have
// none.
func (r *applyReader) plan(h hookMessage) {
	actions := []string{h.Action}
	switch h.Action {
	case "replace":
		actions = []string{"delete", "create"}
	case "create", "update", "delete":
	default:
		return
	}
	for _, action := range actions {
		r.planned = append(r.planned, operation{h.Resource.Address, action})
	}
}

// addNotStarted adds what was planned and not begun. It may be the second half of a replacement.
func (r *applyReader) addNotStarted() {
	begun := map[operation]bool{}
	for _, done := range r.resources {
		begun[operation{done.Address, done.Action}] = true
	}
	for _, op := range r.planned {
		if !begun[op] {
			r.resources = append(r.resources, ResourceResult{Address: op.address, Action: op.action, Status: NotStarted})
		}
	}
}

func (r *applyReader) hook(kind string, h hookMessage) {
	if h.Action == "read" || h.Action == "noop" {
		return // data sources are read, not applied
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
		output := Output{Name: name, Sensitive: o.Sensitive}
		if !o.Sensitive {
			output.Value = json.RawMessage(o.Value)
		}
		r.outputs = append(r.outputs, output)
	}
	sort.Slice(r.outputs, func(i, j int) bool { return r.outputs[i].Name < r.outputs[j].Name })
}

// saveState writes a state that Terraform could only print to a temporary file.
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
