package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// programs are the programs, besides our own, that a page may ask a reader to run.
var programs = []string{
	"atmos", "aws", "cd", "cp", "curl", "diff", "docker", "export", "gh", "git", "go", "gofmt", "jq", "make", "mkdir", "npm", "perl", "rm", "terraform", "tofu", "xargs",
}

// TestShellCommandsAreThere checks each block of shell: bash can parse it, and its programs, make
// targets, subcommands of Terraform, and arguments of go exist. aws, gh and git have a subcommand.
func TestShellCommandsAreThere(t *testing.T) {
	t.Parallel()
	targets := makeTargets(t)
	looked := 0
	for _, file := range pages(t) {
		found, _ := blocks(t, file)
		for _, b := range found {
			if b.language != "sh" && b.language != "shell" && b.language != "bash" {
				continue
			}
			parse := exec.CommandContext(t.Context(), "bash", "-n")
			parse.Stdin = strings.NewReader(b.text)
			if out, err := parse.CombinedOutput(); err != nil {
				t.Errorf("%s:%d: bash: %v\n%s", file, b.line, err, out)
			}
			for _, words := range commands(b.text) {
				looked++
				if err := there(t, words, targets); err != nil {
					t.Errorf("%s:%d: %s: %v", file, b.line, strings.Join(words, " "), err)
				}
			}
		}
	}
	if looked < 30 {
		t.Errorf("only %d commands were looked at", looked)
	}
}

func there(t *testing.T, words []string, targets []string) error {
	program, args := words[0], words[1:]
	if program == ".ci/run" {
		return nil
	}
	if !slices.Contains(programs, program) {
		return fmt.Errorf("%s is not among the programs that pages ask for", program)
	}
	switch program {
	case "make":
		for _, arg := range args {
			if !strings.Contains(arg, "=") && !slices.Contains(targets, arg) {
				return fmt.Errorf("the Makefile has no target %s", arg)
			}
		}
	case "terraform":
		help := exec.CommandContext(t.Context(), "terraform", slices.Concat(subcommand(args), []string{"-help"})...)
		help.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE=")
		said, err := help.CombinedOutput()
		if err != nil {
			return fmt.Errorf("terraform has no such command: %w", err)
		}
		for _, arg := range args {
			option, _, _ := strings.Cut(arg, "=")
			// The options of plan are apply's, too: its help only says so.
			if strings.HasPrefix(option, "-") && option != "-replace" && !strings.Contains(string(said), option) {
				return fmt.Errorf("this command has no option %s", option)
			}
		}
	case "go":
		for _, arg := range args {
			if strings.HasPrefix(arg, "./") {
				if _, err := os.Stat(filepath.Join(root, strings.TrimSuffix(arg, "/..."))); err != nil {
					return fmt.Errorf("there is no %s", arg)
				}
			}
		}
	case "aws", "gh":
		if words := subcommand(args); len(words) < 2 && !slices.Equal(words, []string{"api"}) { // whose next word is a path
			return fmt.Errorf("%s wants a subcommand of two words", program)
		}
	case "git":
		if len(subcommand(args)) == 0 {
			return fmt.Errorf("git wants a subcommand")
		}
	}
	return nil
}

// subcommand returns the words before the options: at most two, without names in capitals, paths or
// addresses.
func subcommand(args []string) (words []string) {
	for _, arg := range args {
		if len(words) == 2 || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(arg) || strings.HasPrefix(arg, "-") {
			break
		}
		words = append(words, arg)
	}
	return words
}

var (
	assignment   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=(\$\()?`)
	separators   = regexp.MustCompile(`\s*(?:&&|\|\||\||;)\s*`)
	quotedText   = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	continuation = regexp.MustCompile(`\\\n\s*`)
)

// commands splits a script of simple commands into words. A quoted text is one word.
func commands(script string) (all [][]string) {
	script = continuation.ReplaceAllString(script, " ")
	script = quotedText.ReplaceAllStringFunc(script, func(s string) string {
		return strings.NewReplacer(" ", "_", "|", "_", ";", "_", "&", "_", "'", "", `"`, "", "#", "_").Replace(s)
	})
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(line, " #")
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		for _, command := range separators.Split(line, -1) {
			words := strings.Fields(command)
			for len(words) > 0 && assignment.MatchString(words[0]) {
				if words[0] = assignment.ReplaceAllString(words[0], ""); strings.Contains(command, "$(") && words[0] != "" {
					break // key=$(aws …): the command within
				}
				words = words[1:]
			}
			if len(words) > 0 {
				all = append(all, words)
			}
		}
	}
	return all
}

// makeTargets are the targets that the Makefile names.
func makeTargets(t *testing.T) (targets []string) {
	t.Helper()
	for _, found := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets = append(targets, path.Clean(found[1]))
	}
	return targets
}

// TestMakeTargetsInTextAreThere: `make NAME` in a sentence or a table.
func TestMakeTargetsInTextAreThere(t *testing.T) {
	t.Parallel()
	targets := makeTargets(t)
	for _, file := range pages(t) {
		for _, found := range regexp.MustCompile("`make ([a-z-]+)").FindAllStringSubmatch(read(t, file), -1) {
			if !slices.Contains(targets, found[1]) {
				t.Errorf("%s: the Makefile has no target %s", file, found[1])
			}
		}
	}
}
