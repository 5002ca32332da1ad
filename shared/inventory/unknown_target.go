package inventory

import (
	"errors"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrUnknownTarget is returned for a component or stack that gitops.yaml does
// not have, or that it does not have together.
var ErrUnknownTarget = problem.With(problem.UnknownTarget, errors.New("unknown target"))
