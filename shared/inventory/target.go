// Package inventory knows the targets of a repository: what a target is ([Target]), which
// of them are meant ([Selection]), what depends on what ([Order], [WithDependents]), what a
// commit does to them ([Change]), and the matrix for workflows with a job per target
// ([Matrix]).
//
// A target is one component (a Terraform root module with its settings) in one stack (an
// environment). Two sources list and resolve them: package gitops reads gitops.yaml, and
// package atmos asks Atmos. Everybody else sees a [Target], whose field Atmos is set for
// the second.
package inventory

import (
	"github.com/terraform-gitops/gitops/shared/git"
)

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

	// Settings are as the source has them: see [Settings.With].
	Settings Settings

	// Given are the files that any of the repository's targets gives to Terraform by itself:
	// the var files and the files of backend-config. It is shared; don't change it.
	Given map[string]bool

	// Tracked is shared by the targets of a checkout that does not change; nil: Git is
	// asked for each.
	Tracked *git.Tracked

	// Atmos is set for a target of Atmos, which then runs Terraform: VarFiles,
	// BackendConfig and Env are empty.
	Atmos *AtmosComponent
}

// Name is the target's name.
func (t Target) Name() Name { return Name{t.Component, t.Stack} }

// String names the target for people: "network in acme-ue2-dev".
func (t Target) String() string { return t.Name().String() }
