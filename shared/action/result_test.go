package action

import (
	"bytes"
	"errors"
	"testing"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/problem"
)

func TestAnErrorEndsInItsCode(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	status := Finish(gha.New(nil, &log), Result{}, problem.With(problem.Expired, errors.New("the plan is too old")))
	if got, want := log.String(), "::error::the plan is too old [GITOPS-EXPIRED]\n"; got != want || status != 1 {
		t.Errorf("status %d and %q, want 1 and %q", status, got, want)
	}
}
