package gitops

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Lacking is the error of a target whose root module folder, or a file that it names, is
// tracked by Git and not in the workspace: a [*fingerprint.LackingError]. It is nil if the
// workspace lacks nothing.
func (c *Config) Lacking(ctx context.Context, tracked *git.Tracked, name inventory.Name) error {
	if !c.names()[name] {
		return nil
	}
	f, err := fingerprint.OpenFiles(ctx, c.checkout, tracked)
	if err != nil {
		return err
	}
	return c.resolver(name.Component, name.Stack).lacks(f)
}
