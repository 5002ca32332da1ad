package inventory

import (
	"errors"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Settings are what the actions themselves need for a target, as its source has them. Each
// may be empty: then an action's input decides, or a default.
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
	// roles that read and write them: in plan, in apply, and in drift plans, drift
	// detection and dry runs of apply.
	PlanStorageRole  string
	ApplyStorageRole string
	DriftStorageRole string

	// PlanRole and ApplyRole are the ARNs of the roles that Terraform runs with.
	PlanRole  string
	ApplyRole string
	// PlanClouds and ApplyClouds are the identities of other clouds that it runs with.
	PlanClouds  Clouds
	ApplyClouds Clouds

	// Environment is the GitHub environment in which the target is applied: its reviewers
	// approve, and roles may trust it.
	Environment string

	// Policy says which policies hold for the target's plans, and Approvals who has to approve them.
	Policy    Policy
	Approvals ApprovalSettings

	// Audience is what GitHub's ID tokens are requested for, with which the roles are
	// assumed.
	Audience string

	// Outdated tells people which key to rename; empty if there is none.
	Outdated string
}

// Effective are the settings that hold for a target: an input of the action beats what the
// source has. Only [Settings.With] makes them.
type Effective Settings

// Overrides are the settings that an action's inputs give, for all targets. An empty one
// leaves the setting as it is.
type Overrides struct {
	Region, Bucket, Table, StorageURL string
	StorageRole                       string // opens the plan store, whatever is done with it
	TerraformRole                     string // Terraform runs with it, in plan and in apply
	Audience                          string
}

// Check refuses overrides that exclude each other.
func (o Overrides) Check() error {
	if o.StorageURL != "" && (o.Bucket != "" || o.Table != "") {
		return problem.With(problem.Input, errors.New("inputs `storage-url` and `bucket` or `table` are both given: choose a folder, or a bucket and a table"))
	}
	return nil
}

// With returns the settings that hold with these overrides. A bucket or table in them
// replaces a configured folder, and a folder replaces a configured bucket and table.
func (s Settings) With(o Overrides) Effective {
	if o.Bucket != "" || o.Table != "" {
		s.StorageURL = ""
	}
	if o.StorageURL != "" {
		s.Bucket, s.Table = "", ""
	}
	for _, over := range []struct {
		setting *string
		input   string
	}{
		{&s.Region, o.Region},
		{&s.Bucket, o.Bucket},
		{&s.Table, o.Table},
		{&s.StorageURL, o.StorageURL},
		{&s.PlanStorageRole, o.StorageRole},
		{&s.ApplyStorageRole, o.StorageRole},
		{&s.DriftStorageRole, o.StorageRole},
		{&s.PlanRole, o.TerraformRole},
		{&s.ApplyRole, o.TerraformRole},
		{&s.Audience, o.Audience},
	} {
		if over.input != "" {
			*over.setting = over.input
		}
	}
	return Effective(s)
}
