package gitops

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Lacking is a [*LackingError] where the workspace lacks the root module's folder of a
// target, or a file that it names, and Git tracks it; else nil.
func (c *Config) Lacking(ctx context.Context, tracked *git.Tracked, name inventory.Name) error {
	r, known := targetsByName(c)[name]
	if !known {
		return nil
	}
	f, err := fingerprint.OpenFiles(ctx, c.checkout, tracked)
	if err != nil {
		return err
	}
	return r.lacks(f)
}
