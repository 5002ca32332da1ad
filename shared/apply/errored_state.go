package apply

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// rescueState stores the state that Terraform could not persist, before the
// runner vanishes with it; path is empty when there is none. Where it can't be
// stored, or is not this target's, the file is left where it is and the error says so.
func (w *Work) rescueState(ctx context.Context, path string) error {
	if path == "" {
		return nil
	}
	if mine, found := w.lineage(), terraform.StateLineage(path); mine != "" && found != "" && mine != found {
		return problem.With(problem.ErroredState, fmt.Errorf("the errored state of %s was not stored: the state in %s on this runner is another target's (its lineage is %s, and that of the plan %s): "+
			"save it before the runner is gone, and find out what has overwritten this target's", w.Workspace.Target, path, found, mine))
	}
	ctx, cancel := context.WithTimeout(ctx, rescueTimeout)
	defer cancel()
	location, err := w.store.PutErroredState(ctx, w.stored.Record, w.Workspace.Run(), path)
	if err != nil {
		return problem.With(problem.ErroredState, fmt.Errorf("%w: Terraform could not write it to its backend, and it is in %s on this runner: save it before the runner is gone", err, path))
	}
	w.outcome.RescuedState = &RescuedState{
		StoredAt: location,
		Commands: pushCommands(location, w.stored.Record.TerraformName, w.Workspace.Target),
	}
	return os.Remove(path)
}

// lineage is that of the state that the plan was made on; empty when there was none, or
// it is not known.
func (w *Work) lineage() string {
	inside, err := plan.Open(w.planfile) // the one that was applied: reviewed, or made again
	if err != nil || inside == nil {
		return ""
	}
	return inside.Lineage
}

// pushCommands bring a rescued state back to its backend, from a checkout of the
// repository. program is what wrote it, terraform or tofu.
func pushCommands(location, program string, t inventory.Target) []string {
	fetch := "cp "
	if strings.HasPrefix(location, "s3://") {
		fetch = "aws s3 cp "
	}
	commands := []string{"cd " + quote(t.Dir), fetch + quote(location) + " errored.tfstate"}
	if t.Atmos != nil { // writes the backend, and selects the workspace
		workspace := fmt.Sprintf("atmos terraform workspace %s -s %s", quote(t.Component), quote(t.Stack))
		return []string{workspace, commands[0], commands[1], program + " state push errored.tfstate", "rm errored.tfstate"}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		commands = append(commands, "export "+name+"="+quote(t.Env[name]))
	}
	initialize := program + " init"
	for _, setting := range t.BackendConfig {
		if !strings.Contains(setting, "=") { // a file, relative to the checkout
			if relative, err := filepath.Rel(t.Dir, setting); err == nil {
				setting = relative
			}
		}
		initialize += " -backend-config=" + quote(setting)
	}
	commands = append(commands, initialize)
	if t.Workspace != "" {
		commands = append(commands, program+" workspace select -or-create "+quote(t.Workspace))
	}
	return append(commands, program+" state push errored.tfstate", "rm errored.tfstate")
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
