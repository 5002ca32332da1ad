package terraform

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// InitOptions are the options of Init.
type InitOptions struct {
	// BackendConfig are values for -backend-config: a file, or KEY=VALUE, which
	// other users of the machine can see while init runs.
	BackendConfig []string
	// VarFiles are those of the plan. OpenTofu's backend, module sources and
	// encryption may read variables; Terraform takes them and does not look.
	VarFiles []string
	// LockReadonly takes the providers that .terraform.lock.hcl names, or fails.
	// Without it, init writes that file where there is none.
	LockReadonly bool
}

// Init installs modules and providers and configures the backend. It does not
// migrate state, and asks nothing. Its error is a *CommandError.
//
// It runs `init -json`, for the place of each error in the configuration. Where
// that flag is unknown (Terraform before 1.9, OpenTofu before 1.7) init stops at
// it at once and is run again without it, and the error holds Terraform's text
// in Output instead of Diagnostics.
//
// Init runs in the target's workspace, whose state may need providers that the
// configuration no longer names. Where that workspace does not exist and several
// others do, Terraform refuses, and init is run again outside of it; Plan creates
// it then.
func (c *CLI) Init(ctx context.Context, o InitOptions) error {
	args := []string{"init", "-input=false", "-no-color", "-json"}
	for _, value := range o.BackendConfig {
		args = append(args, "-backend-config="+value)
	}
	for _, file := range o.VarFiles {
		args = append(args, "-var-file="+file)
	}
	if o.LockReadonly {
		args = append(args, "-lockfile=readonly")
	}

	lazy := *c
	lazy.Env = append([]string{lazyCollector}, c.Env...) // the user's own comes after, and wins
	c = &lazy
	err := c.init(ctx, c.Workspace, args)
	if printed(err, "flag provided but not defined: -json") {
		args = append(args[:3:3], args[4:]...)
		err = c.init(ctx, c.Workspace, args)
	}
	missing := fmt.Sprintf("Currently selected workspace %q does not exist", c.Workspace)
	if c.Workspace != "" && printed(err, missing) {
		c.transcript(nil).write(fmt.Sprintf("\nWorkspace %q is created by the plan.\n\n", c.Workspace))
		err = c.init(ctx, "", args)
	}
	return err
}

// lazyCollector makes Go collect garbage when the heap has grown to five times what is in
// use, not twice: a tenth of the CPU time of init, plan and show together, where they are
// short. An init uses a few tens of MB, whatever the state holds; plan and apply, of
// which that is not true, keep Go's own setting.
const lazyCollector = "GOGC=400"

func (c *CLI) init(ctx context.Context, workspace string, args []string) error {
	_, err := c.run(ctx, workspace, args, c.transcript(nil), 0)
	return err
}

// printed reports whether a command failed with the given words.
func printed(err error, words string) bool {
	var failed *CommandError
	if !errors.As(err, &failed) || errors.Is(err, ErrInterrupted) {
		return false
	}
	if strings.Contains(failed.Output, words) {
		return true
	}
	first, _ := failed.firstError()
	return first != nil && strings.Contains(first.Summary, words)
}
