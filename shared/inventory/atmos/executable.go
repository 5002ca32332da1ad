package atmos

import (
	"errors"
	"os/exec"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Executable is the path of the Atmos on PATH.
func Executable() (string, error) {
	path, err := exec.LookPath("atmos")
	if err != nil {
		return "", problem.With(problem.Atmos, errors.New("this repository is one of Atmos, which is not on PATH: give the input `atmos-version`, or install it in a step before this one, or give the input `config` for a gitops.yaml"))
	}
	return path, nil
}
