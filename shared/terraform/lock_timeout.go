package terraform

import (
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/envlist"
)

// LockTimeout is how long Plan and Apply wait for a state's lock that somebody else
// holds, such as a plan of another pull request, unless the user's TF_CLI_ARGS say how
// long. Terraform itself would not wait.
const LockTimeout = 5 * time.Minute

// lockTimeout are the arguments for LockTimeout. There are none where the user's own name
// that flag: those come before all of ours, and of a flag the last one counts.
// https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_cli_args-and-tf_cli_args_name
func (c *CLI) lockTimeout(command string) []string {
	env := c.environ("")
	if c.Atmos != nil {
		env = append(env, c.Atmos.Env...)
	}
	if strings.Contains(envlist.Value(env, "TF_CLI_ARGS")+envlist.Value(env, "TF_CLI_ARGS_"+command), "-lock-timeout") {
		return nil
	}
	return []string{"-lock-timeout=" + LockTimeout.String()}
}
