package terraform

import (
	"errors"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
)

// ErrAfterTerraform is found in the error of a command whose Terraform succeeded, but whose
// Atmos did not: Atmos was killed, or what it does after Terraform failed. After an Apply,
// all of the plan is applied, and the state is written.
var ErrAfterTerraform = problem.With(problem.Atmos, errors.New("after Terraform had succeeded, Atmos failed"))

// ending is how a command ended, with Atmos or without.
type ending struct {
	code     int        // of Terraform, as far as is known
	run      keeper.Run // of Terraform, if known
	known    bool
	atmos    int  // Atmos' own exit status; -1 when a signal has killed it
	outlived bool // Atmos has ended before a Terraform
}

// endOfAtmos tells how a command of Atmos ended, whose process ended as e says.
func endOfAtmos(runs keeper.Runs, args []string, e ending) ending {
	e.atmos = e.code
	run, found := runs.Main(args)
	if !found {
		return e // Atmos has started a Terraform by its path, or none
	}
	e.run, e.known, e.code = run, true, -1 // without a status, Terraform and its keeper were killed
	if status, known := run.Status(); known {
		e.code = status
	}
	return e
}

// cut reports whether Atmos may not have passed on all of Terraform's output.
func (e ending) cut() bool { return e.known && (e.outlived || e.atmos != e.code) }

// afterTerraform is the error of a command whose Terraform succeeded, if Atmos failed.
func (c *CLI) afterTerraform(args []string, e ending, t *transcript) error {
	switch {
	case c.Atmos == nil:
		return nil
	case (args[0] == "plan" || args[0] == "apply") && t.version == (Version{}):
		// The component may be disabled. The log of both commands begins with the version.
		return c.failure(args, e.code, problem.With(problem.Atmos, fmt.Errorf("Atmos succeeded, but did not run terraform %s", args[0])), t)
	case !e.known || e.atmos == e.code || e.atmos == 0: // Atmos may make another code 0
		return nil
	case e.atmos < 0:
		return c.failure(args, e.atmos, fmt.Errorf("%w: it was killed by a signal", ErrAfterTerraform), t)
	}
	return c.failure(args, e.atmos, fmt.Errorf("%w: exit status %d", ErrAfterTerraform, e.atmos), t)
}

// rest emits the messages of a run, without the first ones, which have come through Atmos
// before.
func rest(run keeper.Run, seen int, emit func(line []byte, omitted int)) error {
	lines := lineSplitter{emit: func(line []byte, omitted int) {
		switch {
		case !isMessage(line, omitted):
		case seen > 0:
			seen--
		default:
			emit(line, omitted)
		}
	}}
	err := run.Output(&lines)
	lines.flush()
	return err
}
