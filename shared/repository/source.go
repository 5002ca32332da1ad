package repository

import (
	"context"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Source is the source of the targets and their settings.
type Source struct {
	Name  string            // for messages
	Atmos string            // the executable of Atmos; empty with gitops.yaml
	Env   map[string]string // Atmos' environment variables
}

// targets lists and finds targets. One implementation reads gitops.yaml, the other asks Atmos. No
// other code needs to know which of them it has.
type targets interface {
	// list lists all targets, sorted by name.
	list(ctx context.Context) ([]inventory.Listed, error)
	// find returns a target of the workspace.
	find(ctx context.Context, name inventory.Name) (inventory.Target, error)
	// at returns a target in a checkout of another commit.
	at(ctx context.Context, folder string, name inventory.Name) (inventory.Target, error)
	// listAt lists the targets in a checkout of another commit: none if nothing configures any.
	listAt(ctx context.Context, folder string) ([]inventory.Listed, error)
	// affected lists the targets that differ from those in the folder base, in which another commit
	// is checked out. If base is empty, all targets are new. was are the targets there, if known.
	affected(ctx context.Context, base string) (changes []inventory.Change, was []inventory.Listed, err error)
	// placed says where in the settings of a target a fault is.
	placed(ctx context.Context, name inventory.Name, f *inventory.PolicyFault) error
	// uncovered lists the folders with changed Terraform files that no target reads.
	uncovered(ctx context.Context, changed []string) ([]string, error)
}

// Skipped is the error for a target that its settings exclude. It is not a failure.
type Skipped struct {
	Target inventory.Target
	Reason string
}

func (e *Skipped) Error() string {
	return fmt.Sprintf("%s is skipped: %s", e.Target, e.Reason)
}

// Find finds a target and its settings. It returns a *[Skipped] if the settings exclude the target.
// If Atmos fails, its output is in the log.
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
