// Package action is what the actions have in common as programs: reading the inputs once,
// running, being interrupted, and handing the result to the runner.
package action

import (
	"context"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
)

// Deps are what an action's Run works with, so that a test can replace them.
type Deps struct {
	Runtime *gha.Runtime
	Environ []string // of the process: what of it Terraform may see is decided by package terraform
	Now     func() time.Time
	// Signals receives the signals that follow the one that cancelled the context.
	Signals <-chan os.Signal
}

// Main runs an action as the runner started it, and returns its exit status. outputs are
// those of a run whose inputs are wrong.
func Main[I any](now func() time.Time, read func(*gha.Runtime) (I, error), run func(context.Context, I, Deps) (Result, error), outputs map[string]string) int {
	if status, kept := keeper.Keep(os.Args, os.Environ()); kept {
		return status // Atmos has started this program in Terraform's place
	}
	r := gha.New(os.Environ(), os.Stdout)
	ctx, signals, stop := interrupts(context.Background(), os.Stderr)
	defer stop()
	in, err := read(r)
	if err != nil {
		return Finish(r, Result{Outputs: outputs}, err)
	}
	result, err := run(ctx, in, Deps{Runtime: r, Environ: os.Environ(), Now: now, Signals: signals})
	return Finish(r, result, err)
}

// GitHub opens GitHub's API with a token. A wait for a rate limit is noticed in the log.
func (d Deps) GitHub(token string) (*github.Client, error) {
	return github.New(d.Runtime.Context().APIURL, token, github.WithWaitNotice(func(line string) {
		d.Runtime.Notice(gha.Annotation{Message: line})
	}))
}
