package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// subcommandError says that a program which Atmos ran has exited with a code other than 0.
type subcommandError struct{ code int }

func (e *subcommandError) Error() string {
	return fmt.Sprintf("subcommand exited with code %d", e.code)
}

// terraform is `atmos terraform`. It doesn't handle signals: if only this process gets one, Terraform
// keeps running.
func terraform(subcommand string, args []string) error {
	a, err := parse(args, flags{"--stack": true, "--planfile": true, "--identity": true, "--skip-init": false})
	if err != nil {
		return err
	}
	p, err := openProject()
	if err != nil {
		return err
	}
	if len(a.positional) != 1 || a.flags["--stack"] == "" {
		return errors.New("stack is required; specify it on the command line using the flag --stack <stack> (shorthand -s)")
	}
	c, err := p.component(a.positional[0], a.flags["--stack"])
	if err != nil {
		return err
	}
	if err := c.evaluate(dynamic{templates: true, functions: true}); err != nil {
		return err
	}
	if c.disabled() {
		return nil // Atmos logs this at a level that the sample does not show
	}
	if err := c.permits(subcommand); err != nil {
		return err
	}
	if err := c.provisionWorkdir(); err != nil {
		return err
	}
	env, err := c.environ(a.flags["--identity"])
	if err != nil {
		return err
	}
	if modern() {
		if err := c.hooks("before", subcommand, env); err != nil {
			return err
		}
	}
	// Hooks don't run after a failure, and a plan's exit code 2 counts as one.
	if err := c.run(subcommand, a, env); err != nil {
		return err
	}
	if !modern() && subcommand != "apply" && subcommand != "deploy" {
		return nil
	}
	return c.hooks("after", subcommand, env)
}

// provisionWorkdir copies the component's folder to a folder of its own if provision.workdir is
// enabled, as 1.227 does. This follows the documentation.
// https://atmos.tools/stacks/provision/workdir
func (c *component) provisionWorkdir() error {
	if provision, _ := c.also["provision"].(section); at(provision, "workdir")["enabled"] != true {
		return nil
	}
	from, to := c.path(), filepath.Join(c.project.base, ".workdir", "terraform", c.stack.name+"-"+strings.ReplaceAll(c.name, "/", "-"))
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(from, path)
		switch {
		case err != nil || relErr != nil:
			return errors.Join(err, relErr)
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), content, 0o644)
	})
	c.workdir = to
	return err
}

// permits returns an error if a command can't be used with the component.
func (c *component) permits(subcommand string) error {
	changes := subcommand == "apply" || subcommand == "deploy"
	_, err := os.Stat(c.path())
	switch {
	case err != nil:
		return fmt.Errorf("invalid Terraform component: '%s' points to the Terraform component '%s', but it does not exist in '%s'",
			c.name, c.folder, c.project.cli.Components.Terraform.BasePath)
	case c.abstract() && (changes || subcommand == "plan" || subcommand == "workspace"):
		return fmt.Errorf("abstract component cannot be provisioned: the component '%s' cannot be provisioned because it's marked as abstract (metadata.type: abstract)", c.base())
	case c.locked() && changes:
		return fmt.Errorf("locked component cannot be provisioned: component '%s' cannot be modified (metadata.locked: true)", c.base())
	}
	return nil
}

// base returns the component's name with the folder of its module instead of its own: service/api
// with the module service becomes api.
func (c *component) base() string {
	return path.Join(path.Dir(c.folder), path.Base(c.name))
}

// file is the name of a file that Atmos keeps for the component in its module.
func (c *component) file(extension string) string {
	return c.stack.name + "-" + strings.ReplaceAll(c.base(), "/", "-") + extension
}

func (c *component) run(subcommand string, a arguments, env []string) error {
	config := c.project.cli.Components.Terraform
	planfile, varfile := a.flags["--planfile"], c.file(".terraform.tfvars.json")
	if planfile == "" && subcommand != "workspace" {
		if err := c.write(varfile, c.vars); err != nil {
			return err
		}
	}
	if config.AutoGenerateBackendFile {
		if err := c.writeBackend(); err != nil {
			return err
		}
	}
	if len(c.providers) > 0 {
		if err := c.write("providers_override.tf.json", section{"provider": c.providers}); err != nil {
			return err
		}
	}

	initArgs := []string{"init"}
	if config.InitRunReconfigure || subcommand == "workspace" {
		initArgs = append(initArgs, "-reconfigure")
	}
	if config.Init.PassVars {
		initArgs = append(initArgs, "-var-file", varfile)
	}
	skipInit := a.flags["--skip-init"] == "true" || subcommand == "deploy" && !config.DeployRunInit
	if subcommand == "init" || !skipInit {
		// Atmos forgets which workspace was selected.
		dataDir := cmp.Or(os.Getenv("TF_DATA_DIR"), ".terraform")
		if !filepath.IsAbs(dataDir) {
			dataDir = filepath.Join(c.path(), dataDir)
		}
		_ = os.Remove(filepath.Join(dataDir, "environment"))
	}
	if subcommand == "init" {
		return c.exec(env, os.Stderr, append(initArgs, a.passed...)...)
	}
	if !skipInit {
		if err := c.exec(env, os.Stderr, initArgs...); err != nil {
			return err
		}
	}
	if c.hasWorkspaces() && os.Getenv("TF_WORKSPACE") == "" {
		if err := c.selectWorkspace(env); err != nil {
			return err
		}
	}
	if subcommand == "workspace" {
		return nil
	}
	if err := c.exec(env, os.Stderr, c.commandLine(subcommand, planfile, varfile, a.passed)...); err != nil {
		return err
	}
	if subcommand != "plan" && planfile == "" {
		_ = os.Remove(filepath.Join(c.path(), c.file(".planfile")))
	}
	if subcommand == "apply" || subcommand == "deploy" {
		_ = os.Remove(filepath.Join(c.path(), varfile))
	}
	return nil
}

// generateBackend is `atmos terraform generate backend`, which follows the documentation.
// https://atmos.tools/cli/commands/terraform/generate/backend
func generateBackend(args []string) error {
	a, err := parse(args, flags{"--stack": true, "--process-templates": false, "--process-functions": false, "--skip": true})
	if err != nil {
		return err
	}
	if len(a.positional) != 2 || a.positional[0] != "backend" {
		return fmt.Errorf("stand-in: no command terraform generate %q", a.positional)
	}
	p, err := openProject()
	if err != nil {
		return err
	}
	c, err := p.component(a.positional[1], a.flags["--stack"])
	if err != nil {
		return err
	}
	if err := c.evaluate(a.dynamic()); err != nil {
		return err
	}
	return c.writeBackend()
}

func (c *component) writeBackend() error {
	if c.backendType == "" {
		return errors.New("'backend_type' is missing for the component")
	}
	return c.write("backend.tf.json", section{"terraform": section{"backend": section{c.backendType: c.backend}}})
}

// commandLine returns Terraform's arguments for a command.
func (c *component) commandLine(subcommand, planfile, varfile string, passed []string) []string {
	config := c.project.cli.Components.Terraform
	switch {
	case subcommand == "plan":
		args := []string{"plan", "-var-file", varfile}
		if !config.Plan.SkipPlanfile && !slices.ContainsFunc(passed, func(s string) bool { return s == "-out" || strings.HasPrefix(s, "-out=") }) {
			args = append(args, "-out", c.file(".planfile"))
		}
		return append(args, passed...)
	case subcommand != "apply" && subcommand != "deploy":
		return append([]string{subcommand}, passed...)
	case planfile != "":
		return append(append([]string{"apply"}, passed...), planfile)
	}
	args := append([]string{"apply", "-var-file", varfile}, passed...)
	if (subcommand == "deploy" || config.ApplyAutoApprove) && !slices.Contains(passed, "-auto-approve") {
		args = append(args, "-auto-approve")
	}
	return args
}

// environ returns Terraform's environment. The component's variables override the caller's, and
// Atmos' own override both.
func (c *component) environ(identity string) ([]string, error) {
	var meddling []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if name == "TF_CLI_ARGS" || name == "TF_WORKSPACE" || strings.HasPrefix(name, "TF_VAR_") || strings.HasPrefix(name, "TF_CLI_ARGS_") {
			meddling = append(meddling, name)
		}
	}
	if len(meddling) > 0 {
		fmt.Fprintf(os.Stderr, "WARN Detected environment variables that may interfere with Atmos's control of Terraform variables=%v\n", meddling)
	}
	env := os.Environ()
	for name, value := range c.env {
		env = append(env, fmt.Sprintf("%s=%v", name, value))
	}
	if identity != "" {
		if at(c.project.identities, identity)["kind"] != "mock" {
			return nil, fmt.Errorf("stand-in: no identity %q of kind mock in atmos.yaml", identity)
		}
		env = append(env, "AWS_CONFIG_FILE=/tmp/mock-config", "AWS_PROFILE="+identity,
			"AWS_SHARED_CREDENTIALS_FILE=/tmp/mock-credentials", "MOCK_IDENTITY="+identity)
	}
	env = append(env, "ATMOS_CLI_CONFIG_PATH="+c.project.configDir, "ATMOS_BASE_PATH="+c.project.base, "TF_IN_AUTOMATION=true")
	if os.Getenv("TF_APPEND_USER_AGENT") == "" {
		env = append(env, "TF_APPEND_USER_AGENT="+c.project.cli.Components.Terraform.AppendUserAgent)
	}
	return env, nil
}

// write overwrites a file of the module in place, as Atmos does. Another Terraform that reads the
// file at that moment may find it empty.
func (c *component) write(name string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.path(), name), append(content, '\n'), 0o644)
}

// selectWorkspace selects the component's workspace, and creates it if necessary. 1.227 hides what
// Terraform prints.
func (c *component) selectWorkspace(env []string) error {
	if modern() {
		var said bytes.Buffer
		if c.start(env, &said, &said, "workspace", "select", c.workspace()) == nil {
			return nil
		}
		said.Reset()
		err := c.start(env, &said, &said, "workspace", "new", c.workspace())
		if err != nil {
			fmt.Fprint(os.Stderr, said.String())
		}
		return err
	}
	// Atmos sends this command's stderr to stdout, even if the workspace doesn't exist.
	if c.exec(env, os.Stdout, "workspace", "select", c.workspace()) == nil {
		return nil
	}
	return c.exec(env, os.Stderr, "workspace", "new", c.workspace())
}

func (c *component) exec(env []string, stderr *os.File, args ...string) error {
	if modern() {
		return c.start(env, plainWriter{os.Stdout}, plainWriter{stderr}, args...)
	}
	return c.start(env, os.Stdout, stderr, args...)
}

// plainWriter removes colors. As with 1.227, a program writes to it through a pipe of this process,
// and gets SIGPIPE if this process has ended.
type plainWriter struct{ to io.Writer }

var color = regexp.MustCompile("\x1b\\[[0-9;]*m")

func (w plainWriter) Write(p []byte) (int, error) {
	if _, err := w.to.Write(color.ReplaceAll(p, nil)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// start runs the component's command once.
func (c *component) start(env []string, stdout, stderr io.Writer, args ...string) error {
	cmd := exec.Command(c.command, args...)
	cmd.Dir, cmd.Env = c.path(), env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &subcommandError{code: exit.ExitCode()}
	}
	return err
}
