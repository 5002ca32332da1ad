package repository

import (
	"context"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Source says where the targets and their settings come from.
type Source struct {
	Name  string            // for people
	Atmos string            // the executable of Atmos; empty with gitops.yaml
	Env   map[string]string // what Atmos needs in its environment
}

// targets lists and resolves targets. One implementation reads gitops.yaml, the other asks
// Atmos, and nobody else needs to know which of them it is.
type targets interface {
	// list lists all targets, sorted by name.
	list(ctx context.Context) ([]inventory.Listed, error)
	// find resolves one target of the workspace.
	find(ctx context.Context, name inventory.Name) (inventory.Target, error)
	// at resolves one target in a checkout of another commit.
	at(ctx context.Context, folder string, name inventory.Name) (inventory.Target, error)
	// affected lists the targets that differ from the base, which is checked out in a
	// folder; all are new if it is empty.
	affected(ctx context.Context, base string) ([]inventory.Change, error)
	// uncovered lists the folders with changed Terraform files that no target reads.
	uncovered(ctx context.Context, changed []string) ([]string, error)
}

// Skipped says that a target's settings leave it out: nothing is done, and nothing has failed.
type Skipped struct {
	Target inventory.Target
	Reason string
}

func (e *Skipped) Error() string {
	return fmt.Sprintf("%s is skipped: %s", e.Target, e.Reason)
}

// Find resolves a target. A target that its settings leave out is a *[Skipped]. If Atmos
// fails, the log has what it says.
func (rp *Repository) Find(ctx context.Context, name inventory.Name) (inventory.Target, error) {
	return rp.targets.find(ctx, name)
}

// Targets lists all targets of the repository, sorted by name.
func (rp *Repository) Targets(ctx context.Context) ([]inventory.Listed, error) {
	listed, err := rp.targets.list(ctx)
	if err != nil {
		return nil, err
	}
	settings := make([]inventory.Settings, len(listed))
	for i, l := range listed {
		settings[i] = l.Settings
	}
	if err := inventory.RolesApart(settings...); err != nil {
		return nil, fmt.Errorf("%s: %w", rp.Source.Name, err)
	}
	return listed, nil
}
