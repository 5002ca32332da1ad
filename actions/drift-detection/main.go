package main

import (
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/action"
)

func main() { os.Exit(Main(time.Now)) }

// Main runs the action as the runner started it and returns its exit status.
func Main(now func() time.Time) int {
	return action.Main(now, ReadInputs, Run, nil)
}
