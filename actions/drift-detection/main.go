package main

import (
	"context"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/fleet"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
)

func main() { os.Exit(Main(time.Now)) }

// Main runs the action as the runner started it and returns its exit status.
func Main(now func() time.Time) int {
	r := gha.New(os.Environ(), os.Stdout)
	ctx, _, stop := job.Interrupts(context.Background(), os.Stderr)
	defer stop()
	in, err := ReadInputs(r)
	if err != nil {
		return fleet.Finish(r, fleet.Result{}, err)
	}
	r.Redact(in.Token)
	result, err := Run(ctx, in, Deps{Runtime: r, Environ: os.Environ(), Now: now})
	return fleet.Finish(r, result, err)
}
