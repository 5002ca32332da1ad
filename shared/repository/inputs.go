package repository

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/gitaccess"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Inputs are the inputs that the actions have in common.
type Inputs struct {
	Component, Stack string
	SHA              string // commit whose plan to use; empty: from the event
	Config           string // gitops.yaml, relative to the workspace; empty: Atmos' configuration, or gitops.yaml
	Path             string // folder of the workspace that holds the repository; empty: the workspace itself
	AtmosConfig      string // atmos.yaml or its folder; empty: Atmos' default
	AtmosVersion     string // to install if it is not there; empty: the Atmos on PATH
	Identity         string // for Atmos' auth; empty: Atmos' default

	// TerraformEnv has environment variables (NAME=value) for Terraform alone, which are secrets.
	TerraformEnv []string
	// Git may read private modules with it.
	Git gitaccess.Access

	Overrides    inventory.Overrides // override the targets' settings
	RoleInput    string              // name of the input that overrides Terraform's role: plan-role or apply-role
	RoleDuration time.Duration       // of the credentials of Terraform's role; 0: STS's default, an hour

	// Share allows a target of Atmos to share its folder with others that are planned at the same
	// time. Finding out whether it can takes another run of Atmos. An apply never shares.
	Share bool

	Token      string // for GitHub's API; empty: GitHub is not asked
	TeamsToken string // to list the members of teams; empty: Token
	Debug      bool
}

// ReadInputs reads the common inputs. Errors are in read.Err and come from [Inputs.Check].
// Component and Stack are both empty if the inputs name no target. roleInput is the name of the
// input that overrides Terraform's role.
func ReadInputs(r *gha.Runtime, read *gha.Inputs, roleInput string) Inputs {
	in := ReadRepositoryInputs(r, read)
	in.Component, in.Stack = r.Input("component"), r.Input("stack")
	in.SHA = strings.ToLower(r.Input("sha"))
	in.readTerraform(r, read, roleInput)
	return in
}

// ReadTerraformInputs is ReadInputs without component and stack, for an action that gets its
// target from elsewhere.
func ReadTerraformInputs(r *gha.Runtime, read *gha.Inputs, roleInput string) Inputs {
	in := ReadRepositoryInputs(r, read)
	in.readTerraform(r, read, roleInput)
	return in
}

func (in *Inputs) readTerraform(r *gha.Runtime, read *gha.Inputs, roleInput string) {
	in.Identity = r.Input("identity")
	access, err := gitaccess.Parse(r.Input("git-credentials"), r.Input("ssh-key"), r.Input("ssh-known-hosts"))
	if err != nil {
		read.Problem(err)
	}
	for _, secret := range access.Secrets() {
		r.Mask(secret)
	}
	in.Git = access
	in.TerraformEnv = read.Variables("terraform-env", terraform.NotForTerraform)
	in.Overrides.TerraformRole, in.RoleInput = r.Input(roleInput), roleInput
	// These are the limits of STS. The role's own limit may be lower: STS reports that.
	in.RoleDuration = time.Duration(read.Int("role-duration-seconds", 0, 900, 43200)) * time.Second
}

// ReadRepositoryInputs reads the common inputs that concern no single target.
func ReadRepositoryInputs(r *gha.Runtime, read *gha.Inputs) Inputs {
	r.Redact(r.Input("token"))
	r.Redact(r.Input("teams-token"))
	return Inputs{
		Path:        r.Input("path"),
		Config:      r.Input("config"),
		AtmosConfig: r.Input("atmos-config-path"), AtmosVersion: r.Input("atmos-version"),
		Overrides: inventory.Overrides{
			Region: r.Input("region"), Bucket: r.Input("bucket"), Table: r.Input("table"), StorageURL: r.Input("storage-url"),
			StorageRole: r.Input("storage-role"), Audience: r.Input("audience"),
		},
		Token: r.Input("token"), TeamsToken: r.Input("teams-token"),
		Debug: read.Bool("debug", false),
	}
}

// Check returns an error for inputs that are wrong by themselves or contradict each other.
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
