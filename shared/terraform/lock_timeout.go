package terraform

import (
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/envlist"
)

// lockTimeout is how long Plan and Apply wait for a state's lock that somebody else
// holds, such as the plan of another pull request. The user's TF_CLI_ARGS may say
// otherwise. Terraform by itself would not wait at all.
const lockTimeout = 5 * time.Minute

// lockTimeoutArgs are the arguments that set lockTimeout. There are none if the user's
// arguments set that flag: ours would come after them, and the last flag counts.
// https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_cli_args-and-tf_cli_args_name
func (c *CLI) lockTimeoutArgs(command string) []string {
	env := c.environ("")
	if c.Atmos != nil {
		env = append(env, c.Atmos.Env...)
	}
	if strings.Contains(envlist.Value(env, "TF_CLI_ARGS")+envlist.Value(env, "TF_CLI_ARGS_"+command), "-lock-timeout") {
		return nil
	}
	return []string{"-lock-timeout=" + lockTimeout.String()}
}
