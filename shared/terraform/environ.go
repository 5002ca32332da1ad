package terraform

import (
	"maps"
	"slices"
	"strings"
)

// Environ is the environment that Terraform, its providers and its provisioners
// may see: base (as os.Environ gives it) without what belongs to the runner and
// to this action, then add, then credentials, then what makes Terraform run
// unattended. It is sorted, and each name is in it once.
//
// Left out of base are
//
//   - the runner's service tokens and addresses (ACTIONS_*), so that Terraform
//     code cannot ask for an ID token and take any role that trusts the
//     repository;
//   - the job's GitHub token under all its names, the action's inputs and state
//     (INPUT_*, STATE_*), and the files that carry outputs, variables, paths and
//     summaries to later steps;
//   - RUNNER_TRACKING_ID, by which the runner finds and kills what is left of a
//     job: an apply that outlives a cancelled job must end with its state written;
//   - TF_WORKSPACE: the target says which workspace;
//   - every AWS credential, when credentials has some, and what add says of
//     them, too: AWS's programs would take these first, or mix them. Files of
//     profiles stay, for providers that name one.
//
// All else of the user's stays: TF_VAR_*, TF_CLI_ARGS*, TF_LOG, plugin cache, CLI
// configuration, proxies, PATH, HOME. A token that Terraform is meant to have, as
// for the github provider, is handed over on purpose: through add, which is not
// filtered, or under a name of its own (TF_VAR_github_token).
func Environ(base []string, add, credentials map[string]string) []string {
	env := make(map[string]string, len(base)+len(add)+len(credentials)+3)
	for _, entry := range base {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" || withheld(name) {
			continue
		}
		env[name] = value
	}
	maps.Copy(env, add)
	if anyAWS(credentials) {
		maps.DeleteFunc(env, func(name, _ string) bool { return awsCredential(name) })
	}
	maps.Copy(env, credentials)
	env["TF_IN_AUTOMATION"] = "1"
	env["TF_INPUT"] = "0"
	env["CHECKPOINT_DISABLE"] = "1" // no call to HashiCorp's version service
	delete(env, "TF_WORKSPACE")

	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// NotForTerraform returns why a variable can't be given to Terraform on purpose, or nothing. A
// GITHUB_TOKEN can: the github provider reads it, and one that is given on purpose is not the job's.
func NotForTerraform(name string) (why string) {
	switch name {
	case "TF_WORKSPACE", "TF_DATA_DIR", "TF_IN_AUTOMATION", "TF_INPUT", "CHECKPOINT_DISABLE", "PATH":
		return "the action sets it"
	}
	switch {
	case strings.HasPrefix(name, "GITOPS_"):
		return "the action sets it"
	case awsCredential(name):
		return "its AWS credentials are those of the settings `role.plan` and `role.apply`"
	case strings.HasPrefix(name, "TF_CLI_ARGS"), name == "TF_REATTACH_PROVIDERS":
		return "it decides what is planned, and so is no secret: use `env` in the configuration"
	case withheld(name) && !githubToken(name):
		return "it belongs to the runner"
	}
	return ""
}

func githubToken(name string) bool {
	switch name {
	case "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GH_ENTERPRISE_TOKEN":
		return true
	}
	return false
}

// https://docs.github.com/en/actions/reference/workflows-and-actions/variables
func withheld(name string) bool {
	switch name {
	case "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY",
		"RUNNER_TRACKING_ID":
		return true
	}
	return githubToken(name) || strings.HasPrefix(name, "ACTIONS_") ||
		strings.HasPrefix(name, "INPUT_") ||
		strings.HasPrefix(name, "STATE_")
}

func anyAWS(credentials map[string]string) bool {
	for name := range credentials {
		if awsCredential(name) {
			return true
		}
	}
	return false
}

// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
func awsCredential(name string) bool {
	switch name {
	case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_SECURITY_TOKEN", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", // older names that Go's SDK reads
		"AWS_CREDENTIAL_EXPIRATION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME":
		return true
	}
	return strings.HasPrefix(name, "AWS_CONTAINER_")
}
