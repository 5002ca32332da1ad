package main

import (
	"context"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/fleet"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/job"
	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
)

func main() { os.Exit(Main(time.Now)) }

// Main runs the action as the runner started it and returns its exit status.
func Main(now func() time.Time) int {
	if status, kept := keeper.Keep(os.Args, os.Environ()); kept {
		return status // Atmos has started this program in Terraform's place
	}
	r := gha.New(os.Environ(), os.Stdout)
	ctx, signals, stop := job.Interrupts(context.Background(), os.Stderr)
	defer stop()
	in, err := ReadInputs(r)
	if err != nil {
		return fleet.Finish(r, fleet.Result{}, err)
	}
	r.Redact(in.Token)
	result, err := Run(ctx, in, Deps{Runtime: r, Environ: os.Environ(), Now: now, Signals: signals})
	return fleet.Finish(r, result, err)
}
