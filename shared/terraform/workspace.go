package terraform

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

// checkWorkspace refuses a planfile that was made in another workspace than the
// one in which Terraform would apply it now.
func (c *CLI) checkWorkspace(plan string) error {
	backend, planned, err := planfile.Workspace(c.abs(plan))
	switch {
	case errors.Is(err, planfile.ErrEncrypted):
		return nil // its workspace is unknown, so OpenTofu's own checks must do
	case err != nil:
		return problem.With(problem.Planfile, fmt.Errorf("planfile %s: %w", plan, err))
	}
	if planned == "" || c.Workspace == "" && (backend == "cloud" || backend == "remote") {
		return nil // there are no workspaces, or the configuration names them
	}
	selected, err := c.selectedWorkspace()
	if err != nil {
		return err
	}
	if planned != selected {
		return problem.With(problem.Planfile, fmt.Errorf("planfile %s was made in workspace %q, and %q is selected: "+
			"plan again in the workspace that is meant", plan, planned, selected))
	}
	return nil
}

// selectedWorkspace is the workspace that Terraform would use: the one in the environment,
// else the one that `workspace select` has noted in the data directory.
func (c *CLI) selectedWorkspace() (string, error) {
	if selected := envlist.Value(c.environ(c.Workspace), "TF_WORKSPACE"); selected != "" {
		return selected, nil
	}
	noted, err := os.ReadFile(c.abs(filepath.Join(c.dataDir(), "environment")))
	if err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("selected workspace: %w", err)
	}
	if name := strings.TrimSpace(string(noted)); name != "" {
		return name, nil
	}
	return "default", nil
}
