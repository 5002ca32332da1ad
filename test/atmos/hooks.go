package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// storeVariable is a file that stands for all stores. Each value that a hook stores becomes a line
// in it. Without the variable, values are dropped.
const storeVariable = "STAND_IN_STORE"

// hooks runs the component's hooks that come before or after a command. It follows the documentation
// and Atmos' source. 1.196 only has hooks that store outputs after an apply, whatever events they
// name; 1.227 also has the kind command.
// https://atmos.tools/stacks/hooks
func (c *component) hooks(when, subcommand string, env []string) error {
	events := []string{when + "-terraform-" + subcommand}
	if subcommand == "deploy" {
		events = append(events, when+"-terraform-apply")
	}
	all := c.section("hooks")
	for _, name := range sorted(all) {
		hook := at(all, name)
		meant, _ := hook["events"].([]any)
		if modern() && len(meant) > 0 && !slices.ContainsFunc(meant, func(event any) bool {
			return slices.Contains(events, strings.ReplaceAll(fmt.Sprint(event), ".", "-"))
		}) {
			continue
		}
		var err error
		switch {
		case hook["command"] == "store" || hook["kind"] == "store":
			err = c.store(hook, env)
		case modern() && hook["kind"] == "command":
			err = c.runCommand(hook, env)
		case modern(): // 1.196 passes over it
			err = fmt.Errorf("stand-in: no such hook as %s", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// runCommand runs a hook's command. A failure is a warning, unless the hook says otherwise.
func (c *component) runCommand(hook section, env []string) error {
	args, _ := hook["args"].([]any)
	var texts []string
	for _, arg := range args {
		texts = append(texts, fmt.Sprint(arg))
	}
	cmd := exec.Command(fmt.Sprint(hook["command"]), texts...)
	cmd.Dir = c.path()
	cmd.Env = append(os.Environ(), "ATMOS_STACK="+c.stack.name, "ATMOS_COMPONENT="+c.name, "ATMOS_COMPONENT_PATH="+c.path())
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if err != nil && hook["on_failure"] != "fail" {
		fmt.Fprintf(os.Stderr, "WARN hook failed: %v\n", err)
		return nil
	}
	return err
}

// store puts outputs into a store that atmos.yaml has.
func (c *component) store(hook section, env []string) error {
	name := fmt.Sprint(hook["name"])
	if c.project.stores[name] == nil {
		return fmt.Errorf("store %q not found in configuration", name)
	}
	outputs := section{}
	var err error
	if modern() {
		var out bytes.Buffer
		if err = c.start(env, &out, os.Stderr, "output", "-json", "-no-color"); err == nil {
			outputs, err = values(out.Bytes())
		}
	} else {
		outputs, err = c.outputs()
	}
	if err != nil {
		return err
	}
	for _, key := range sorted(at(hook, "outputs")) {
		path, isOutput := strings.CutPrefix(fmt.Sprint(at(hook, "outputs")[key]), ".")
		value := any(path)
		if isOutput {
			if value, isOutput = outputs[path]; !isOutput {
				return fmt.Errorf("terraform output key %s does not exist", path)
			}
		}
		if file := os.Getenv(storeVariable); file != "" {
			f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(f, "%s %s %s=%v\n", c.stack.name, c.name, key, value)
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
		}
	}
	return nil
}
