// Package builtfiles carries the files that planning made from the job that plans to the
// job that applies: Terraform reads a zip for a function again when it applies, on another
// machine.
//
// [Look] notes which files are in the folders of a target before the plan, and
// [Watch.Choose] says which of them travel after it. [Pack] writes these into one archive,
// which the plan store keeps beside the planfile, and [Place] puts them back for the time
// of an apply.
//
// The archive is made by a job that runs code which nobody has reviewed yet. So nothing in
// it is believed: [Rules] says what no archive may bring into a checkout, and Place looks
// at all names and sizes before it writes anything.
package builtfiles

import (
	"fmt"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// MaxBytes is how much the files of one plan may have in sum, in bytes.
const MaxBytes = 512 << 20

// maxFiles is how many files one plan may have.
const maxFiles = 10_000

// File is one that travels.
type File struct {
	Name       string // relative to the checkout's root, slash-separated
	Size       int64  // bytes
	Executable bool
}

// refused says why files can't travel.
func refused(format string, args ...any) error {
	return problem.With(problem.PlanFiles, fmt.Errorf(format, args...))
}

// tooMuch refuses files of more than MaxBytes; of how many more is not known.
func tooMuch() error {
	return refused("the files that this plan needs for its apply have more than 512 MiB in sum: make them smaller, leave some out by a pattern with ! in plan-files, or upload them in a step before and give Terraform their address")
}
