package terraform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-shellwords"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// cliArgs are the words that an environment adds to a command's arguments, in the order in
// which Terraform takes them: TF_CLI_ARGS, then TF_CLI_ARGS_COMMAND. Words are split as
// Terraform does, with its own library. Of two entries of one name the last counts.
// https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_cli_args-and-tf_cli_args_name
func cliArgs(env []string, command string) (words []string, err error) {
	for _, name := range []string{"TF_CLI_ARGS", "TF_CLI_ARGS_" + command} {
		more, err := shellwords.Parse(envlist.Value(env, name))
		if err != nil {
			return nil, problem.With(problem.Input, fmt.Errorf("the environment variable %s can't be split into words, as a shell does: %w", name, err))
		}
		words = append(words, more...)
	}
	return words, nil
}

// isUpgrade reports whether a word is init's flag -upgrade, and whether that turns it on.
func isUpgrade(word string) (is, on bool) {
	name, value, given := strings.Cut(word, "=")
	if name != "-upgrade" && name != "--upgrade" {
		return false, false
	}
	if !given {
		return true, true
	}
	on, err := strconv.ParseBool(value)
	return err == nil, on
}

// Upgrades reports whether an environment has init install the newest versions of modules
// and providers (-upgrade) in place of those in the dependency lock file. The last of
// several such flags counts.
func Upgrades(env []string) (bool, error) {
	words, err := cliArgs(env, "init")
	upgrade := false
	for _, word := range words {
		if is, on := isUpgrade(word); is {
			upgrade = on
		}
	}
	return upgrade, err
}

// WithoutUpgrade is the environment without that flag.
func WithoutUpgrade(env []string) []string {
	env = slices.Clone(env)
	for i, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if name != "TF_CLI_ARGS" && name != "TF_CLI_ARGS_init" {
			continue
		}
		words, err := shellwords.Parse(value)
		if err != nil {
			continue // Terraform refuses it
		}
		kept := slices.DeleteFunc(slices.Clone(words), func(word string) bool { is, _ := isUpgrade(word); return is })
		if len(kept) == len(words) {
			continue
		}
		for j := range kept {
			kept[j] = "'" + strings.ReplaceAll(kept[j], "'", `'\''`) + "'"
		}
		env[i] = name + "=" + strings.Join(kept, " ")
	}
	return env
}
