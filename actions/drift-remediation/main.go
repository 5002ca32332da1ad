package main

import (
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
	"github.com/terraform-gitops/gitops/shared/policy/evaluator"
)

func main() { os.Exit(Main(time.Now)) }

// Main runs the action as the runner started it and returns its exit status.
func Main(now func() time.Time) int {
	if status, served := evaluator.Serve(os.Args); served {
		return status // this program has started itself to evaluate policies
	}
	return action.Main(now, ReadInputs, Run, map[string]string{"status": string(Failed)})
}
