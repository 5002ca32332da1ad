package inventory

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// The commands that a person runs by hand for a target, from the root of a checkout: a shell
// line each. They hold what lies in Git, and no secrets.

// PlanCommands plan the target with program, which is terraform or tofu. Atmos initializes,
// and selects the workspace, by itself.
func (t Target) PlanCommands(program string, refreshOnly bool) []string {
	var flags strings.Builder
	if t.Atmos == nil {
		for _, file := range t.VarFiles {
			flags.WriteString(" -var-file=" + shellWord(t.fromDir(file)))
		}
	}
	switch {
	case refreshOnly:
		flags.WriteString(" -refresh-only")
	case t.Destroy:
		flags.WriteString(" -destroy")
	}
	if t.Atmos != nil {
		return []string{fmt.Sprintf("atmos terraform plan %s -s %s%s", shellWord(t.Component), shellWord(t.Stack), flags.String())}
	}
	if t.Dir != "." {
		program += " -chdir=" + shellWord(t.Dir)
	}
	return append(t.initCommands(program), program+" plan"+flags.String())
}

// PushCommands bring a state that Terraform could not write, and that is stored at location,
// back to the target's backend. program is what wrote the state, terraform or tofu.
func (t Target) PushCommands(location, program string) []string {
	fetch := "cp "
	if strings.HasPrefix(location, "s3://") {
		fetch = "aws s3 cp "
	}
	commands := []string{"cd " + shellWord(t.Dir), fetch + shellWord(location) + " errored.tfstate"}
	if t.Atmos != nil { // writes the backend, and selects the workspace
		workspace := fmt.Sprintf("atmos terraform workspace %s -s %s", shellWord(t.Component), shellWord(t.Stack))
		commands = append([]string{workspace}, commands...)
	} else {
		commands = append(commands, t.initCommands(program)...)
	}
	return append(commands, program+" state push errored.tfstate", "rm errored.tfstate")
}

// initCommands set the target's environment, initialize its backend and select its workspace.
func (t Target) initCommands(program string) (commands []string) {
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		commands = append(commands, "export "+name+"="+shellWord(t.Env[name]))
	}
	initialize := program + " init"
	for _, setting := range t.BackendConfig {
		if !strings.Contains(setting, "=") { // a file
			setting = t.fromDir(setting)
		}
		initialize += " -backend-config=" + shellWord(setting)
	}
	commands = append(commands, initialize)
	if t.Workspace != "" {
		commands = append(commands, program+" workspace select -or-create "+shellWord(t.Workspace))
	}
	return commands
}

// fromDir is a path that is relative to the checkout's root, as it is seen from Dir.
func (t Target) fromDir(file string) string {
	if relative, err := filepath.Rel(filepath.FromSlash(t.Dir), filepath.FromSlash(file)); err == nil {
		return filepath.ToSlash(relative)
	}
	return file
}

// shellWord makes one word of s for a POSIX shell, without quotes where none are needed.
func shellWord(s string) string {
	special := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./:=@%+,-", r))
	}
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
