package apply

import (
	"context"

	"github.com/terraform-gitops/gitops/shared/plan"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/terraform-gitops/gitops/shared/workspace"
)

// Terraform is what a plan is applied with: a *[workspace.Terraform], or a test's.
type Terraform interface {
	plan.Terraform
	Version(ctx context.Context) (terraform.Version, error)
	// CheckApply refuses a planfile that Apply can't be given.
	CheckApply(planfile string) error
	// CompareConfig and CompareBackend name what differs between a planfile and what Init
	// has found. made is the program that made the planfile.
	CompareConfig(inside *planfile.File, made string) ([]string, error)
	CompareBackend(inside *planfile.File) ([]string, error)
	// Apply applies a planfile. inside is what it tells; nil when it is encrypted.
	Apply(ctx context.Context, planfile, made string, inside *planfile.File) (terraform.ApplyResult, error)
	// StatePosition reads the lineage and serial of the state.
	StatePosition(ctx context.Context) (lineage string, serial uint64, err error)
}

func (o Options) realTerraform(ctx context.Context, j *workspace.Workspace) (Terraform, error) {
	tf, err := j.Terraform(ctx, j.Settings.ApplyRole, o.Now)
	if err != nil {
		return nil, err
	}
	tf.Signals = o.Signals
	return tf, nil
}
