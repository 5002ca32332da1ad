// Package target knows which targets a repository has, where their root
// modules lie and how they are configured, and it takes the fingerprint of
// that configuration.
//
// A target is one component (a Terraform root module with its settings) in
// one stack (an environment). [Load] reads the targets of a plain Terraform
// repository from gitops.yaml, whose reference is this folder's README.md and
// whose JSON Schema is gitops.schema.json. [Config.Target] resolves one of
// them into a [Target]; for a repository of Atmos, [Atmos.Target] does.
// [Target.Configuration] then reduces everything in Git that shapes the
// target's plan to one digest, so that apply can tell whether the
// configuration it has is the one that was planned.
package target

// Target is one component in one stack: the unit that is planned, locked and
// applied, with all that is needed to run Terraform for it.
type Target struct {
	Component string
	Stack     string

	// Root is the absolute path of the checkout. All other paths are relative
	// to it, and slash-separated.
	Root string
	// Dir is the folder of the root module.
	Dir string
	// Alone is set where no other target of gitops.yaml has the same root module folder.
	Alone bool

	// Workspace is the Terraform workspace; empty means the default one.
	Workspace string
	// VarFiles are given as -var-file, in this order: in Terraform, a later
	// one wins.
	VarFiles []string
	// BackendConfig are the values of -backend-config, in this order: KEY=VALUE,
	// or, without an equals sign, a file relative to Root.
	BackendConfig []string
	// Env is what the target adds to Terraform's environment. It lies in Git
	// in clear, so it is no place for secrets.
	Env map[string]string
	// DependsOn names the targets that are applied before this one. In gitops.yaml
	// they are of the same stack. Of Atmos' dependencies those are left out whose
	// stack only the list of all stacks tells: see [Listed].
	DependsOn []Name
	// Ignore are globs of files that do not count: see README.md.
	Ignore []string

	// PlanFiles are globs of files that travel with a plan, though Git does not track them,
	// in which ** stands for any number of folders. Relative to Root; one that begins with
	// an exclamation mark takes out what those before it chose.
	PlanFiles []string

	Settings Settings

	// Tracked is shared by the targets of a checkout that does not change; nil: Git is
	// asked for each.
	Tracked *Tracked

	// Atmos is set for a target of Atmos, which then runs Terraform: VarFiles,
	// BackendConfig and Env are empty.
	Atmos *AtmosComponent
}

// Settings are what the actions themselves need for a target. All may be
// empty: an action's input, or a default, then decides.
type Settings struct {
	// TerraformVersion or OpenTofuVersion is an exact version, a constraint or
	// "latest", as written. At most one is set.
	TerraformVersion string
	OpenTofuVersion  string

	// Region, Bucket and Table say where planfiles and plan records are kept;
	// StorageURL is a folder to keep them in instead.
	Region     string
	Bucket     string
	Table      string
	StorageURL string
	// PlanStorageRole, ApplyStorageRole and DriftStorageRole are the ARNs of the
	// roles that read and write them: in plan, in apply, and where drift is planned and
	// detected, or an apply is only tried.
	PlanStorageRole  string
	ApplyStorageRole string
	DriftStorageRole string

	// PlanRole and ApplyRole are the ARNs of the roles that Terraform runs with.
	PlanRole  string
	ApplyRole string

	// Audience is what ID tokens are asked for, to take on any of the roles.
	Audience string
}

// Name is the target's name.
func (t Target) Name() Name { return Name{t.Component, t.Stack} }

// String names the target for people: "network in acme-ue2-dev".
func (t Target) String() string { return t.Name().String() }
