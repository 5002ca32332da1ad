package terraform

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
)

// Atmos runs Init, Plan and Apply of a component in a stack, so that all it does
// around Terraform still happens: it writes the backend and the variables, selects
// the workspace, signs in, runs hooks. ShowJSON and Version run Terraform itself,
// on what Atmos has left.
//
// What it does is recorded for Atmos 1.196.0; see test/atmos.
type Atmos struct {
	Path      string // the executable
	Dir       string // where it runs: the root of the checkout
	Component string
	Stack     string
	Identity  string   // for --identity; empty: as Atmos chooses
	Env       []string // what Atmos itself sets of Terraform's environment, over CLI.Env
	Command   string   // what Atmos starts as Terraform: a name, or a path; empty is "terraform"
	Keeper    string   // a program that begins with [keeper.Keep]: this one
	Scratch   string   // a private folder, for what Terraform says until it is read
}

// wrap makes a command of Terraform one of Atmos. Flags for Terraform go after --.
// The workspace is for Atmos to select: TF_WORKSPACE would stop it.
func (a *Atmos) wrap(cmd *exec.Cmd, args []string) {
	atmos := []string{a.Path, "terraform", args[0], a.Component, "-s", a.Stack}
	flags := args[1:]
	if args[0] == "apply" {
		// Init was run before, to see that the planfile fits.
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
}

// keep has a command of Atmos start a keeper in Terraform's place; see package keeper.
func (a *Atmos) keep(cmd *exec.Cmd, terraform string) (keeper.Runs, error) {
	return keeper.Prepare(cmd, keeper.Options{Command: a.Command, Program: terraform, Keeper: a.Keeper, Scratch: a.Scratch})
}

var (
	// atmosHeading begins what Atmos says of an error of its own, and of any end of
	// Terraform but a plain success (also exit status 2, a plan with changes), which
	// atmosEnding is.
	atmosHeading = regexp.MustCompile(`^#+ .*Error *$`)
	// 1.227 has the word Error before it, in Markdown.
	atmosEnding = regexp.MustCompile(`^(\*\*Error:\*\* )?subcommand exited with code [0-9]+ *$`)
	atmosError  = regexp.MustCompile(`^\*\*Error:\*\* `)
	// decoration is what is in the text of the init that Atmos runs, which is for a
	// terminal: colors, and the bar before an error, of which frame is the rest.
	decoration = regexp.MustCompile("\x1b\\[[0-9;]*m|^│ ?")
	frame      = regexp.MustCompile(`^[╷╵] *$`)
)

// atmosText makes Atmos' text, line by line, what people are to read.
type atmosText struct {
	heading bool // an error follows
	blank   bool // empty lines are Atmos' layout
}

// line returns a line as it is to be shown; false for one that says nothing. An error
// of Atmos begins as Terraform's do.
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
