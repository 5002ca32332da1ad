// Package builtfiles carries files that a plan has made to the job that applies it. For example,
// Terraform may zip a function's code while it plans, and reads that zip again when it applies,
// on another machine.
//
// [Look] notes which files are in a target's folders before the plan. After it,
// [Watch.Choose] says which files travel, and [Pack] writes them into an archive, which the
// plan store keeps beside the planfile. [Place] puts them into the checkout during an apply.
//
// The job that makes the archive runs code that nobody has reviewed yet, so the archive is not
// trusted: [Rules] says which files it must not bring into a checkout, and Place checks all
// names and sizes before it writes anything.
package builtfiles

import (
	"fmt"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// maxBytes is the limit for all files of one plan together, in bytes.
const maxBytes = 512 << 20

// maxFiles is how many files one plan may have.
const maxFiles = 10_000

// File is a file that travels with a plan.
type File struct {
	Name       string // relative to the checkout's root, slash-separated
	Size       int64  // bytes
	Executable bool
}

// refused is the error for files that can't travel.
func refused(format string, args ...any) error {
	return problem.With(problem.PlanFiles, fmt.Errorf(format, args...))
}

// tooMuch is the error for files of more than maxBytes. It does not say how many they have,
// since reading stops at the limit.
func tooMuch() error {
	return refused("the files that this plan needs for its apply have more than 512 MiB in sum: make them smaller, leave some out by a pattern with ! in plan-files, or upload them in a step before and give Terraform their address")
}
