// Package action runs an action as a program: it reads the inputs, handles signals, and passes the
// result to GitHub's runner.
package action

import (
	"context"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
)

// Deps are the dependencies of an action's Run. A test can replace them.
type Deps struct {
	Runtime *gha.Runtime
	Environ []string // of this process; package terraform decides which variables Terraform gets
	Now     func() time.Time
	// Signals receives the signals that follow the one that cancelled the context.
	Signals <-chan os.Signal
}

// Main runs an action in a step of a job and returns its exit status. If the inputs are wrong, the
// step gets outputs as its outputs.
func Main[I any](now func() time.Time, read func(*gha.Runtime) (I, error), run func(context.Context, I, Deps) (Result, error), outputs map[string]string) int {
	if status, kept := keeper.Keep(os.Args, os.Environ()); kept {
		return status // Atmos has started this program instead of Terraform
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

// GitHub returns a client for GitHub's API with a token. A wait for a rate limit is logged as a
// notice.
func (d Deps) GitHub(token string) (*github.Client, error) {
	return github.New(d.Runtime.Context().APIURL, token, github.WithWaitNotice(func(line string) {
		d.Runtime.Notice(gha.Annotation{Message: line})
	}))
}
