package repository

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Inputs are the inputs that the actions have in common.
type Inputs struct {
	Component, Stack string
	SHA              string // the commit whose plan is meant; empty: from the event
	Config           string // gitops.yaml, relative to the workspace; empty: Atmos' configuration, or gitops.yaml
	Path             string // of the repository in the workspace; empty: the workspace itself
	AtmosConfig      string // atmos.yaml or its folder; empty: where Atmos itself looks
	Identity         string // of Atmos' auth; empty: as Atmos chooses

	Overrides    inventory.Overrides // of the targets' settings
	RoleInput    string              // which input overrides Terraform's role: plan-role or apply-role
	RoleDuration time.Duration       // of the credentials of Terraform's role; 0: STS's own

	// Share has a target of Atmos share its folder with others, where it can: one of many that
	// are planned. It costs another run of Atmos, and what is applied shares with none.
	Share bool

	Token string // GitHub token; empty: GitHub is not asked
	Debug bool
}

// ReadInputs reads the common inputs; what is wrong with them is in read.Err and
// in [Inputs.Check]. Component and Stack are both empty when no one target is meant.
// roleInput names the input that overrides the role Terraform runs under.
func ReadInputs(r *gha.Runtime, read *gha.Inputs, roleInput string) Inputs {
	in := ReadRepositoryInputs(r, read)
	in.Component, in.Stack = r.Input("component"), r.Input("stack")
	in.SHA = strings.ToLower(r.Input("sha"))
	in.readTerraform(r, read, roleInput)
	return in
}

// ReadTerraformInputs is ReadInputs for an action that learns otherwise which target
// is meant.
func ReadTerraformInputs(r *gha.Runtime, read *gha.Inputs, roleInput string) Inputs {
	in := ReadRepositoryInputs(r, read)
	in.readTerraform(r, read, roleInput)
	return in
}

func (in *Inputs) readTerraform(r *gha.Runtime, read *gha.Inputs, roleInput string) {
	in.Identity = r.Input("identity")
	in.Overrides.TerraformRole, in.RoleInput = r.Input(roleInput), roleInput
	// As STS takes them; what the role allows is for STS to say.
	in.RoleDuration = time.Duration(read.Int("role-duration-seconds", 0, 900, 43200)) * time.Second
}

// ReadRepositoryInputs reads those of the common inputs that are of no one target.
func ReadRepositoryInputs(r *gha.Runtime, read *gha.Inputs) Inputs {
	r.Redact(r.Input("token"))
	return Inputs{
		Path:        r.Input("path"),
		Config:      r.Input("config"),
		AtmosConfig: r.Input("atmos-config-path"),
		Overrides: inventory.Overrides{
			Region: r.Input("region"), Bucket: r.Input("bucket"), Table: r.Input("table"), StorageURL: r.Input("storage-url"),
			StorageRole: r.Input("storage-role"), Audience: r.Input("audience"),
		},
		Token: r.Input("token"),
		Debug: read.Bool("debug", false),
	}
}

// Check refuses inputs that have no meaning, alone or together.
func (in Inputs) Check() error {
	if (in.Component == "") != (in.Stack == "") {
		return problem.With(problem.Input, errors.New("inputs `component` and `stack` name one target together: give both, or neither for all targets that are meant"))
	}
	if in.SHA != "" && !git.IsCommit(in.SHA) {
		return problem.With(problem.Input, fmt.Errorf("input `sha` is %q: give a full commit SHA, 40 or 64 hexadecimal digits", in.SHA))
	}
	if in.Config != "" && in.AtmosConfig != "" {
		return problem.With(problem.Input, errors.New("inputs `config` and `atmos-config-path` are both given: choose gitops.yaml or Atmos"))
	}
	return in.Overrides.Check()
}
