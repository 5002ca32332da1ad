// Package inventory knows the targets of a repository: what a target is ([Target]), which
// targets are meant ([Selection]), which depend on which ([Order], [WithDependents]), what
// a commit changes ([Change]), which settings hold ([Settings], [Effective]), and the matrix
// for workflows with a job per target ([Matrix]).
//
// A target is one component (a Terraform root module with its settings) in one stack (an
// environment). Two sources list and resolve targets: package gitops reads gitops.yaml, and
// package atmos asks Atmos. All other packages see a [Target]; its field Atmos is set for
// the second source.
package inventory

import (
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/git"
)

// Target is one component in one stack: the unit that is planned, locked and
// applied, with all that is needed to run Terraform for it.
type Target struct {
	Component string
	Stack     string

	// Root is the absolute path of the checkout. All other paths are relative
	// to it, with slashes.
	Root string
	// Dir is the folder of the root module.
	Dir string
	// Alone is set if no other target of gitops.yaml has the same root module folder.
	Alone bool

	// Workspace is the Terraform workspace; empty means the default one.
	Workspace string
	// VarFiles are given to Terraform as -var-file, in this order: a later one wins.
	VarFiles []string
	// BackendConfig are the values of -backend-config, in this order: KEY=VALUE,
	// or, without an equals sign, a file relative to Root.
	BackendConfig []string
	// Env is what the target adds to Terraform's environment. Anybody can read it in Git,
	// so it holds no secrets.
	Env map[string]string
	// DependsOn names the targets that are applied before this one. Some dependencies of Atmos
	// are missing, as [AtmosComponent] says.
	DependsOn []Name
	// Destroy is set if everything that the target manages is to be destroyed.
	Destroy bool
	// Ignore are globs of files that are not part of the fingerprint: see [Target.Ignores].
	Ignore []string

	// DriftIgnore says which differences are no drift.
	DriftIgnore []ignore.Rule

	// PlanFiles are globs of files that travel with a plan, though Git does not track them.
	// They are relative to Root, and ** stands for any number of folders. One that begins
	// with an exclamation mark excludes what the ones before it match.
	PlanFiles []string

	// Settings are as the source has them: see [Settings.With].
	Settings Settings

	// Given are the var files and backend-config files that gitops.yaml names for any
	// target, not only this one. All targets share the map, so nobody changes it.
	Given map[string]bool

	// Tracked is shared by all targets of a checkout that does not change. If it is nil,
	// Git is asked each time.
	Tracked *git.Tracked

	// Atmos is set for a target that Atmos configures. Atmos then runs Terraform, so
	// VarFiles, BackendConfig and Env are empty.
	Atmos *AtmosComponent
}

// Name is the target's name.
func (t Target) Name() Name { return Name{t.Component, t.Stack} }

// String names the target for people: "network in acme-ue2-dev".
func (t Target) String() string { return t.Name().String() }
