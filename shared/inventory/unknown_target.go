package inventory

import (
	"errors"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrUnknownTarget is returned if the source does not have a component or a stack, or does
// not have the component in that stack.
var ErrUnknownTarget = problem.With(problem.UnknownTarget, errors.New("unknown target"))
