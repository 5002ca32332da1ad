package terraform

import (
	"context"
	"fmt"
	"os"
)

// PlanOptions are the options of Plan.
type PlanOptions struct {
	// Out is where the planfile is written, with mode 0600. If the plan fails, the
	// file is removed: it can't be applied, and holds secrets.
	Out         string
	VarFiles    []string
	Destroy     bool // plan what `plan -destroy` does: the end of everything in the state
	RefreshOnly bool // plan what `plan -refresh-only` does: how the world differs from the state
}

// PlanResult is what Plan knows without reading the planfile.
type PlanResult struct {
	// HasChanges says whether applying would change anything, outputs included.
	HasChanges bool
	// Version is that of the program that made the plan.
	Version Version
	// Diagnostics holds the warnings, and the errors when the plan failed.
	Diagnostics []Diagnostic
}

// Plan makes a planfile. Its error is a *CommandError, which carries the
// diagnostics as the result does. Variables come from VarFiles and from TF_VAR_
// variables in [CLI.Env], never from process arguments. It waits for the state's lock
// for some minutes.
func (c *CLI) Plan(ctx context.Context, o PlanOptions) (PlanResult, error) {
	args := []string{"plan", "-json", "-no-color", "-input=false", "-detailed-exitcode", "-out=" + o.Out}
	for _, file := range o.VarFiles {
		args = append(args, "-var-file="+file)
	}
	if o.Destroy {
		args = append(args, "-destroy")
	}
	if o.RefreshOnly {
		args = append(args, "-refresh-only")
	}
	args = append(args, c.lockTimeoutArgs(args[0])...)
	// Terraform creates a planfile that everybody can read, but keeps the mode of a file
	// that exists.
	if err := createPrivate(c.abs(o.Out)); err != nil {
		return PlanResult{}, fmt.Errorf("%s: %w", c.name(args), err)
	}

	t := c.transcript(nil)
	code, err := c.run(ctx, c.Workspace, args, t, 0, 2)
	result := PlanResult{HasChanges: err == nil && code == 2, Version: t.version, Diagnostics: t.diagnostics}
	if err != nil {
		_ = os.Remove(c.abs(o.Out)) // best effort: err says what matters
		return result, err
	}
	return result, nil
}

// createPrivate makes an empty file that only its owner can read.
func createPrivate(path string) error {
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
