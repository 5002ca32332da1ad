package terraform

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
)

// Atmos runs Init, Plan and Apply of a component in a stack, so that everything that Atmos
// does around Terraform still happens: it writes the backend and the variables, selects
// the workspace, signs in, runs hooks. ShowJSON and Version run Terraform directly, on what
// Atmos has set up.
//
// What it does is recorded for Atmos 1.196.0; see test/atmos.
type Atmos struct {
	Path      string // the executable
	Dir       string // where it runs: the root of the checkout
	Component string
	Stack     string
	Identity  string   // for --identity; empty: as Atmos chooses
	Env       []string // variables that Atmos itself sets for Terraform, over CLI.Env
	Command   string   // what Atmos starts as Terraform: a name, or a path; empty is "terraform"
	Keeper    string   // a program that begins with [keeper.Keep]: this one
	Scratch   string   // a private folder, for what Terraform says until it is read
	// BackendThere has Atmos leave the backend's file as it is: others read it meanwhile.
	BackendThere bool
	// Workdir is where Atmos has run Terraform, if not in the component's folder: with
	// provision.workdir it runs in a copy. It is known after Init, Plan or Apply.
	// https://atmos.tools/stacks/provision/workdir
	Workdir string
}

// wrap turns a command of Terraform into one of Atmos. Flags for Terraform go after --.
// Atmos selects the workspace itself, and refuses to run if TF_WORKSPACE is set.
func (a *Atmos) wrap(cmd *exec.Cmd, args []string) {
	atmos := []string{a.Path, "terraform", args[0], a.Component, "-s", a.Stack}
	flags := args[1:]
	if args[0] == "apply" {
		// --skip-init: Init was run before, to check that the planfile fits.
		planfile := flags[len(flags)-1]
		flags = flags[:len(flags)-1]
		atmos[2] = "deploy"
		atmos = append(atmos, "--planfile", planfile, "--skip-init")
	}
	if a.Identity != "" {
		atmos = append(atmos, "--identity", a.Identity)
	}
	cmd.Path, cmd.Dir = a.Path, a.Dir
	cmd.Args = slices.Concat(atmos, []string{"--"}, flags)
	cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "TF_WORKSPACE=") })
	if a.BackendThere {
		// https://atmos.tools/cli/configuration/components/terraform
		cmd.Env = append(cmd.Env, "ATMOS_COMPONENTS_TERRAFORM_AUTO_GENERATE_BACKEND_FILE=false")
	}
}

// keep has a command of Atmos start a keeper in Terraform's place; see package keeper.
func (a *Atmos) keep(cmd *exec.Cmd, terraform string, args, initEnv []string) (keeper.Runs, error) {
	return keeper.Prepare(cmd, keeper.Options{Command: a.Command, Program: terraform, Keeper: a.Keeper, Scratch: a.Scratch, Args: args, InitEnv: initEnv})
}

var (
	// atmosHeading is the first line that Atmos prints about an error. An error of its own
	// follows, or atmosEnding: that Terraform's exit status is not 0, which is also so for
	// a plan with changes (2).
	atmosHeading = regexp.MustCompile(`^#+ .*Error *$`)
	// 1.227 has the word Error before it, in Markdown.
	atmosEnding = regexp.MustCompile(`^(\*\*Error:\*\* )?subcommand exited with code [0-9]+ *$`)
	atmosError  = regexp.MustCompile(`^\*\*Error:\*\* `)
	// Atmos runs init with output for a terminal: decoration is colors, and the bar before
	// each line of an error; frame is the first and last line of that bar.
	decoration = regexp.MustCompile("\x1b\\[[0-9;]*m|^│ ?")
	frame      = regexp.MustCompile(`^[╷╵] *$`)
)

// atmosText cleans up what Atmos prints, line by line, for people to read.
type atmosText struct {
	heading bool // an error follows
	blank   bool // empty lines that follow are Atmos' layout
}

// line returns a line as it should be shown, and false for one that says nothing. It makes
// an error of Atmos look like one of Terraform.
func (a *atmosText) line(line string) (string, bool) {
	line = decoration.ReplaceAllString(decoration.ReplaceAllString(line, ""), "")
	heading := a.heading
	switch {
	case a.blank && strings.TrimSpace(line) == "", frame.MatchString(line):
		return "", false
	case atmosHeading.MatchString(line):
		a.heading, a.blank = true, true
		return "", false
	case heading && atmosEnding.MatchString(line):
		a.heading = false
		return "", false
	}
	*a = atmosText{}
	if heading {
		line = "Error: " + strings.TrimSpace(atmosError.ReplaceAllString(line, ""))
	}
	return line, true
}
