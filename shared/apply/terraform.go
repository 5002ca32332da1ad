package apply

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/terraform-gitops/gitops/shared/workspace"
)

// Terraform applies plans: it is a *[workspace.Terraform], or a test's double.
type Terraform interface {
	plan.Terraform
	Version(ctx context.Context) (terraform.Version, error)
	// CheckApply returns an error for a planfile that Apply doesn't accept.
	CheckApply(planfile string) error
	// CompareConfig and CompareBackend return the differences between a planfile and what Init has
	// found. made is the program that made the planfile: terraform or tofu.
	CompareConfig(inside *planfile.File, made string) ([]string, error)
	CompareBackend(inside *planfile.File) ([]string, error)
	// Apply applies a planfile. inside is its content, or nil if it is encrypted.
	Apply(ctx context.Context, planfile, made string, inside *planfile.File) (terraform.ApplyResult, error)
	// StatePosition reads the lineage and serial of the state.
	StatePosition(ctx context.Context) (lineage string, serial uint64, err error)
}

func (o Options) realTerraform(ctx context.Context, j *workspace.Workspace) (Terraform, error) {
	tf, err := j.Terraform(ctx, j.Settings.ApplyRole, j.Settings.ApplyClouds, o.Now)
	if err != nil {
		return nil, err
	}
	tf.Signals = o.Signals
	return tf, nil
}
