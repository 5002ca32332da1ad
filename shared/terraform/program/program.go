// Package program has the names of the two programs that plan and apply, as their own
// machine-readable log, the settings and the plan records have them. It is a package of its
// own for those that read what a program leaves behind and start none; package terraform
// has the same names.
package program

// The programs.
const (
	Terraform = "terraform"
	OpenTofu  = "tofu"
)
