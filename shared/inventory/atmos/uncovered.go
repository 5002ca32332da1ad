package atmos

import (
	"context"
	"fmt"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Uncovered are the folders, sorted, with changed Terraform files that belong to no component
// of the stacks.
func (s Stacks) Uncovered(ctx context.Context, changed []string) ([]string, error) {
	suspects := fingerprint.SuspectFolders(changed, func(string) bool { return false })
	if len(suspects) == 0 {
		return nil, nil
	}
	sides, err := s.sides(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("find the target of %s: %w", changed[0], err)
	}
	components := make(map[string]inventory.Name)
	for name, d := range s.described {
		components[d.Component] = name
	}
	return suspects.Without(func(yield func(fingerprint.Side) bool) {
		for _, name := range components {
			if ctx.Err() != nil || !yield(sides.of(name)) {
				return
			}
		}
	}), context.Cause(ctx)
}
