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
	// VarFiles are the plan's variable files. OpenTofu's backend, module sources and
	// encryption may read variables. Terraform accepts the files and ignores them.
	VarFiles []string
	// LockReadonly makes init fail if .terraform.lock.hcl does not have all providers.
	// Without it, init adds to that file, or creates it.
	LockReadonly bool
}

// Init installs modules and providers and configures the backend. It does not
// migrate state, and asks nothing. Its error is a *CommandError. The version is that of the
// program, as far as its log says it: else empty, as with a program that refuses -json.
//
// It runs `init -json`, which says where in the configuration each error is. Terraform
// before 1.9 and OpenTofu before 1.7 refuse that flag at once; init is then run again
// without it, and the error holds Terraform's text in Output instead of Diagnostics.
//
// Init runs in the target's workspace, whose state may need providers that the
// configuration no longer names. If that workspace does not exist and several others do,
// Terraform refuses; init is then run again without a workspace, and Plan creates it.
func (c *CLI) Init(ctx context.Context, o InitOptions) (Version, error) {
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
	lazy.Env = append([]string{lazyCollector}, c.Env...) // if the user sets GOGC, that comes later, and counts
	if c.Atmos == nil {
		lazy.Env = append(lazy.Env, c.InitEnv...)
	}
	c = &lazy
	version, err := c.init(ctx, c.Workspace, args)
	if printed(err, "flag provided but not defined: -json") {
		args = append(args[:3:3], args[4:]...)
		version, err = c.init(ctx, c.Workspace, args)
	}
	missing := fmt.Sprintf("Currently selected workspace %q does not exist", c.Workspace)
	if c.Workspace != "" && printed(err, missing) {
		c.transcript(nil).write(fmt.Sprintf("\nWorkspace %q is created by the plan.\n\n", c.Workspace))
		version, err = c.init(ctx, "", args)
	}
	return version, err
}

// lazyCollector makes Go collect garbage when the heap has grown to five times what is in
// use, instead of twice. For small components that saves a tenth of the CPU time of init,
// plan and show together. Init uses a few tens of MB, however large the state is. Plan and
// apply may use much more, so they keep Go's own setting.
const lazyCollector = "GOGC=400"

func (c *CLI) init(ctx context.Context, workspace string, args []string) (Version, error) {
	t := c.transcript(nil)
	_, err := c.run(ctx, workspace, args, t, 0)
	return t.version, err
}

// printed reports whether a command failed and said these words.
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
