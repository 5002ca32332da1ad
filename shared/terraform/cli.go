package terraform

import (
	"io"
	"os"
	"path/filepath"

	"github.com/terraform-gitops/gitops/shared/terraform/program"
)

// CLI is one Terraform or OpenTofu executable in one root module. Its methods run
// one command each; they may not run at the same time in one data directory,
// which is Terraform's own rule.
type CLI struct {
	// Path is the executable: absolute, or a name looked up on PATH.
	Path string
	// Dir is the directory of the root module. Relative paths given to the
	// methods, and those in diagnostics, are relative to it.
	Dir string
	// Env is everything that Terraform sees of the environment (see [Environ]),
	// but for what DataDir and Workspace say. Empty is empty, not inherited.
	Env []string
	// InitEnv is what Init alone sees of the environment besides Env, and the init that Atmos runs
	// for a plan.
	InitEnv []string
	// Log receives Terraform's output as text for people, one Write for each
	// message, as it is produced. Writes are never made after a method has
	// returned. When one fails the rest of that command's log is dropped: a log
	// that nobody can read must not stop an apply. nil drops all.
	Log io.Writer
	// DataDir becomes TF_DATA_DIR, so that targets that share a root module do
	// not share a `.terraform` folder. Keep it relative, and the same for plan and
	// apply: path.module of a remote module lies in it and is stored in the
	// planfile, so that an absolute one that differs between the two machines
	// makes such a module's file("${path.module}/…") fail in apply. Empty leaves
	// Terraform's default, or what Env says.
	DataDir string
	// Workspace becomes TF_WORKSPACE: the same effect as `workspace select`,
	// without a process and without a trace in the data directory. A workspace
	// that does not exist is created by the first Init or Plan that needs it.
	// Empty leaves Terraform's choice: "default" in a fresh data directory, and
	// the only right value for a configuration with a `cloud` block.
	Workspace string
	// Atmos, unless nil, runs Init, Plan and Apply. Workspace is then the one that
	// Atmos selects.
	Atmos *Atmos
	// Signals asks for stronger measures once the context of a running command
	// has ended; the package comment says which. It may be the channel given to
	// signal.Notify, whose first signal the caller turned into the end of the
	// context. nil never asks.
	Signals <-chan os.Signal
}

// Version is the name and number of an executable.
type Version struct {
	Name   string // Terraform or OpenTofu
	Number string // such as "1.11.4", without a "v"
}

// Names of executables, as in their machine-readable log.
const (
	Terraform = program.Terraform
	OpenTofu  = program.OpenTofu
)

func (v Version) String() string { return v.Name + " " + v.Number }

// environ is the environment of a command in the given workspace.
func (c *CLI) environ(workspace string) []string {
	// Not nil, for which os/exec would use our own environment. Of equal names the last
	// one counts.
	env := append(make([]string, 0, len(c.Env)+2), c.Env...)
	if c.DataDir != "" {
		env = append(env, "TF_DATA_DIR="+c.DataDir)
	}
	if workspace != "" {
		env = append(env, "TF_WORKSPACE="+workspace)
	}
	return env
}

// abs resolves a path as Terraform does, which runs in Dir.
func (c *CLI) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.RunDir(), path)
}

// RunDir is where Terraform runs, as far as is known: Dir, or the copy that Atmos has made.
func (c *CLI) RunDir() string {
	if c.Atmos != nil && c.Atmos.Workdir != "" {
		return c.Atmos.Workdir
	}
	return c.Dir
}
