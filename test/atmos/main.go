// Atmos stands in for the Atmos CLI, 1.196.0 or 1.227.0 (see versionVariable), in tests: on machines where the
// real one cannot be installed they put this program on PATH as `atmos`.
//
// It does what testdata/recorded and recorded-1.227 show the real ones doing for the project in
// testdata/sample, and for edits of that project. It reads the project's YAML
// itself, in the subset below, and runs the real Terraform. What is not
// recorded follows Atmos' source of that time. What it does not do, it refuses
// with a message that begins with "stand-in:", rather than guess:
//
//   - Commands: describe component, describe stacks, describe affected, all with
//     --format json; terraform plan, apply, deploy, output, init and workspace (which
//     only selects the component's own) and generate backend; version.
//   - Manifests: import, vars, settings, env, backend, providers, hooks, auth and
//     command, at the levels where Atmos has them; metadata with component,
//     inherits, type, enabled, locked and terraform_workspace(_pattern); name_template;
//     templates, where they are enabled, of the component's own sections and
//     atmos.Component; the functions terraform.output, terraform.state (of local
//     states), env, exec and template, with a path and a default for YQ. No overrides.
//   - What 1.227 does with a function of a component that was never applied is recorded for
//     terraform.output; for terraform.state it follows the documentation.
//   - Backends: local, http and s3.
//   - describe component gives terraform_config, Atmos' own reading of the module,
//     for the sample's unchanged modules only: null for others.
//   - describe affected compares the commits' files, the local modules that a
//     component calls itself, and the resolved metadata, vars, env and settings.
//     settings.depends_on means components of the same stack.
//   - --identity takes Atmos' identities of kind mock only. Hooks are of the kinds store and command.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
)

func main() {
	err := run(os.Args[1:])
	if err == nil {
		return
	}
	printError(err)
	var ended *subcommandError
	if errors.As(err, &ended) {
		os.Exit(ended.code)
	}
	os.Exit(1)
}

func run(args []string) error {
	command := strings.Join(args[:min(2, len(args))], " ")
	if recorded := verbatim[strings.Join(args, " ")]; recorded != "" && modern() {
		content, err := testdata.ReadFile("testdata/recorded-1.227/" + recorded + ".out")
		fmt.Print(string(content))
		return err
	}
	switch command {
	case "version", "version --format", "version --format=json":
		return printVersion(args[1:])
	case "describe component":
		return describeComponent(args[2:])
	case "describe stacks":
		return describeStacks(args[2:])
	case "describe affected":
		return describeAffected(args[2:])
	case "terraform generate":
		return generateBackend(args[2:])
	case "terraform plan", "terraform apply", "terraform deploy", "terraform output", "terraform init", "terraform workspace":
		return terraform(args[1], args[2:])
	default:
		return fmt.Errorf("stand-in: no command %q", command)
	}
}

// verbatim are commands of 1.227 whose output is only known as it was recorded.
var verbatim = map[string]string{
	"list editions":             "list-editions",
	"describe component --help": "help.describe-component",
	"describe affected --help":  "help.describe-affected",
}

// printVersion prints Atmos' version as without a terminal, which gets no logo. Atmos may then ask
// GitHub for a newer version.
func printVersion(args []string) error {
	a, err := parse(args, flags{"--format": true})
	if err != nil {
		return err
	}
	switch format := a.flags["--format"]; format {
	case "":
		fmt.Printf("\n👽 Atmos %s on %s/%s\n\n", version(), runtime.GOOS, runtime.GOARCH)
	case "json":
		fmt.Printf("{\n  \"version\": %q,\n  \"os\": %q,\n  \"arch\": %q\n }\n", version(), runtime.GOOS, runtime.GOARCH)
	default:
		return fmt.Errorf("stand-in: no format %q", format)
	}
	return nil
}

// flags are the flags of a command, and whether the value may be an argument of its own.
type flags map[string]bool

// arguments are a command's, apart from those after --, which are Terraform's.
type arguments struct {
	flags      map[string]string
	positional []string
	passed     []string
}

func parse(args []string, known flags) (arguments, error) {
	a := arguments{flags: map[string]string{}}
	for i := 0; i < len(args); i++ {
		name, value, given := strings.Cut(args[i], "=")
		switch name {
		case "-s":
			name = "--stack"
		case "-f":
			name = "--format"
		}
		separate, ok := known[name]
		switch {
		case name == "--":
			a.passed = args[i+1:]
			return a, nil
		case ok && separate && !given && i+1 < len(args):
			i++
			value = args[i]
		case ok && separate && !given:
			return a, fmt.Errorf("flag needs an argument: %s", name)
		case ok && !given:
			value = "true"
		case ok:
		case strings.HasPrefix(name, "-"):
			return a, fmt.Errorf("stand-in: no flag %s: Terraform's own go after --", args[i])
		default:
			a.positional = append(a.positional, args[i])
			continue
		}
		a.flags[name] = value
	}
	return a, nil
}

// printJSON prints a value as Atmos does.
func printJSON(value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err == nil {
		_, err = fmt.Println(string(text))
	}
	return err
}
