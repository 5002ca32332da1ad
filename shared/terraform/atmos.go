package terraform

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
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
	Identity  string // for --identity; empty: as Atmos chooses
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

var (
	// atmosFrame is what Atmos puts around its errors, and after any end of Terraform
	// but a plain success: also exit status 2, a plan with changes.
	atmosFrame = regexp.MustCompile(`^(# Error|subcommand exited with code [0-9]+|[╷╵]) *$`)
	// decoration is what is in the text of the init that Atmos runs, which is for a
	// terminal: colors, and the bar before an error.
	decoration = regexp.MustCompile("\x1b\\[[0-9;]*m|^│ ?")
)

// undecorated is a line of Atmos' text as people are to read it; false for one that
// says nothing.
func undecorated(line string) (string, bool) {
	line = decoration.ReplaceAllString(decoration.ReplaceAllString(line, ""), "")
	return line, !atmosFrame.MatchString(line)
}

// interrupt asks a command to stop. Terraform passes an interrupt on by itself;
// Atmos is not known to, so that all it has started gets one, as from a terminal.
func (c *CLI) interrupt(process *os.Process) error {
	if c.Atmos != nil {
		return syscall.Kill(-process.Pid, syscall.SIGINT)
	}
	return process.Signal(os.Interrupt)
}

// groupInterval is how often a process group is looked for while it ends.
const groupInterval = 20 * time.Millisecond

// waitForGroup waits until nothing is left of a process group: Atmos may end at an
// interrupt before Terraform does, which still has its state to write.
func waitForGroup(pid int) {
	for !errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) {
		time.Sleep(groupInterval)
	}
}
