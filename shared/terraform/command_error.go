package terraform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

var (
	// ErrStalePlan is found in the error of Apply when the state is no longer the
	// one that the plan was made on. Nothing was applied: plan again.
	ErrStalePlan = problem.With(problem.StalePlan, errors.New("stale plan: the state has changed since the plan was made: plan again"))

	// ErrStateLocked is found in the error of Plan or Apply when the state's lock could not
	// be taken: most often somebody else held it, for as long as it was waited for. Nothing
	// was done. It is found together with ErrInterrupted when the wait was cancelled.
	ErrStateLocked = problem.With(problem.Terraform, errors.New("the state's lock could not be taken"))

	// ErrInterrupted is found in the error of a command that failed after the
	// context had ended, together with the context's cause. A command that succeeded
	// in spite of the interrupt returns no error.
	ErrInterrupted = problem.With(problem.Cancelled, errors.New("interrupted"))
)

// Unsupported reports whether a command failed because required_version does not
// allow this version of the program. Nothing was done.
func Unsupported(err error) bool {
	return printed(err, "Unsupported Terraform Core version") || printed(err, "Unsupported OpenTofu Core version")
}

// CommandError says how a Terraform command failed. [ErrStalePlan], [ErrStateLocked],
// [ErrInterrupted] and what kept a command from running are found through it by
// errors.Is and errors.As.
type CommandError struct {
	Command     string // such as "terraform plan"
	ExitCode    int    // -1 when it did not run, or was killed by a signal
	Diagnostics []Diagnostic
	Output      string // the end of what it printed beside diagnostics, at most 8 KiB
	Err         error  // what is known of the cause; may be nil
}

// Error names the command, the cause and the first error that Terraform gave,
// with its place and detail; that may be several lines.
func (e *CommandError) Error() string {
	parts := []string{e.Command}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	} else {
		parts = append(parts, "failed")
	}
	first, more := e.firstError()
	switch {
	case first != nil:
		parts = append(parts, first.place()+first.Summary)
		if first.Detail != "" {
			parts = append(parts, strings.TrimSpace(first.Detail))
		}
	case e.Err == nil && e.ExitCode < 0:
		parts = append(parts, "it was killed by a signal")
	case e.Output != "":
		parts = append(parts, humanError(e.Output))
	case e.Err == nil:
		parts = append(parts, fmt.Sprintf("exit status %d without a message", e.ExitCode))
	}
	text := strings.Join(parts, ": ")
	if more > 0 {
		text += fmt.Sprintf(" (and %d more error%s)", more, map[bool]string{true: "s"}[more > 1])
	}
	return text
}

func (e *CommandError) Unwrap() error { return e.Err }

// Code is the code of the cause; without one it is problem.Terraform.
func (e *CommandError) Code() problem.Code { return cmp.Or(problem.CodeOf(e.Err), problem.Terraform) }

func (e *CommandError) firstError() (first *Diagnostic, more int) {
	for i := range e.Diagnostics {
		switch {
		case e.Diagnostics[i].Severity != severityError:
		case first == nil:
			first = &e.Diagnostics[i]
		default:
			more++
		}
	}
	return first, more
}

// humanError cuts off what Terraform prints before its first error, which is progress.
func humanError(text string) string {
	if i := strings.Index("\n"+text, "\nError: "); i >= 0 {
		return strings.TrimPrefix(text[i:], "Error: ")
	}
	return text
}

// failure makes the error of a command. If cause is nil, it looks for the cause in what
// Terraform said.
func (c *CLI) failure(args []string, code int, cause error, t *transcript) error {
	e := &CommandError{
		Command:     c.name(args),
		ExitCode:    code,
		Diagnostics: t.diagnostics,
		Output:      t.lastText(),
		Err:         cause,
	}
	if (args[0] == "init" || c.Atmos != nil) && explainModules(e.Diagnostics, e.Output) && cause == nil {
		e.Err = ErrModuleAccess
	}
	first, _ := e.firstError()
	if first == nil {
		return e
	}
	switch first.Summary { // both programs' words, unchanged since Terraform 0.12
	case "Saved plan is stale", "Saved plan does not match the given state":
		if cause == nil {
			e.Err = ErrStalePlan
		}
	case "Error acquiring the state lock":
		if e.Err = ErrStateLocked; cause != nil {
			e.Err = fmt.Errorf("%w: %w", cause, ErrStateLocked)
		}
	}
	return e
}

// name is what errors call a command, such as "terraform plan".
func (c *CLI) name(args []string) string {
	program := filepath.Base(c.Path)
	if c.Atmos != nil {
		program = "atmos terraform"
	}
	return program + " " + args[0]
}

// interruption is the error of a command whose context has ended.
func interruption(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrInterrupted, context.Cause(ctx))
}
