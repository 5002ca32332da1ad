package workspace

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/install"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/terraform-gitops/gitops/shared/terraform/tfvars"
)

const lockFile = ".terraform.lock.hcl"

// Terraform runs one target's Terraform or OpenTofu. It is a [terraform.CLI] that also knows the
// target's variable files, lock file and providers, and which other versions it may run.
type Terraform struct {
	*terraform.CLI
	workspace *Workspace
	version   terraform.Version // as the last Init said it; empty if it said none
}

// Terraform returns the target's Terraform or OpenTofu. It must run before Close. It gets the
// credentials of role, or the ambient ones if role is empty, and is signed in to other
// clouds. Its environment contains no credentials of the runner or of the plan store.
func (w *Workspace) Terraform(ctx context.Context, role string, clouds inventory.Clouds, now func() time.Time) (*Terraform, error) {
	if err := w.setAside(); err != nil {
		return nil, fmt.Errorf("%s: %w", w.Target, err)
	}
	credentials, err := w.terraformCredentials(ctx, role, clouds, now)
	if err != nil {
		return nil, fmt.Errorf("get Terraform's credentials for %s: %w", w.Target, err)
	}
	cli := &terraform.CLI{
		Dir:       w.inRoot(w.Target.Dir),
		DataDir:   w.dataDir(),
		Workspace: w.Target.Workspace,
	}
	if w.Target.Atmos != nil {
		self, err := os.Executable()
		if err != nil {
			return nil, problem.With(problem.Runner, fmt.Errorf("find this program, which Atmos starts as Terraform: %w", err))
		}
		cli.Atmos = &terraform.Atmos{
			Path: w.repository.Source.Atmos, Dir: w.Target.Root, Component: w.Target.Component, Stack: w.Target.Stack,
			Identity: w.Inputs.Identity,
			Command:  w.Target.Atmos.Command, Keeper: self, Scratch: w.Dir,
			BackendThere: w.locked != nil && w.locked.shared,
		}
		w.atmosRun = cli.Atmos
	}
	wanted := w.program()
	wanted.Lazy = true
	if err := w.choose(ctx, cli, wanted, credentials); err != nil {
		return nil, err
	}
	if cli.Atmos != nil {
		if err := w.resolve(ctx, cli.Env); err != nil {
			return nil, err
		}
		cli.Atmos.Env = variables(w.Target)
		cli.Workspace = cmp.Or(w.Target.Atmos.Workspace, cli.Workspace)
	}
	if w.Inputs.Debug {
		w.describe(cli)
	}
	return &Terraform{CLI: cli, workspace: w}, nil
}

// LogTo writes the output of all later commands to log.
func (t *Terraform) LogTo(log io.Writer) { t.Log = log }

// PlanInitializes reports whether Plan begins with an init of its own, as Atmos' does.
func (t *Terraform) PlanInitializes() bool { return t.Atmos != nil }

// Another switches to another version: one that required_version allows, or the version that
// made a planfile (planned) if that is allowed. It returns false if no other version is found.
func (t *Terraform) Another(ctx context.Context, planned terraform.Version) (bool, error) {
	before := t.Path
	wanted := t.workspace.program()
	if planned.Name == wanted.Name {
		wanted.Planned = planned.Number
	}
	t.version = terraform.Version{}
	err := t.workspace.choose(ctx, t.CLI, wanted, t.workspace.credentials)
	return err == nil && t.Path != before, err
}

// choose finds the executable and sets up its environment.
func (w *Workspace) choose(ctx context.Context, cli *terraform.CLI, wanted install.Options, credentials map[string]string) error {
	path, err := w.repository.Locate(ctx, wanted)
	if err != nil {
		return fmt.Errorf("%s: %w", w.Target, err)
	}
	// What Git sets for the target has precedence: a plan is compared with it.
	add := make(map[string]string, len(w.Inputs.TerraformEnv)+len(w.Target.Env))
	for _, entry := range w.Inputs.TerraformEnv {
		name, value, _ := strings.Cut(entry, "=")
		add[name] = value
	}
	maps.Copy(add, w.Target.Env)
	base, add := w.withoutAmbient(w.environ, add)
	if cli.Atmos != nil {
		env, err := w.atmosEnv(wanted, path)
		if err != nil {
			return err
		}
		maps.Copy(add, env)
	}
	cli.Path, cli.Env, w.credentials = path, terraform.Environ(base, add, credentials), credentials
	return nil
}

// Version returns the version that Init has said. Otherwise it asks the executable, once for all
// targets that run the same one.
func (t *Terraform) Version(ctx context.Context) (terraform.Version, error) {
	if t.version.Number != "" {
		return t.version, nil
	}
	return t.workspace.repository.Version(ctx, t.CLI)
}

// CompareConfig returns the names of the Terraform files that differ between the planfile and
// the checkout. made is the program that made the planfile: terraform or tofu.
func (t *Terraform) CompareConfig(inside *planfile.File, made string) ([]string, error) {
	return inside.CompareConfig(t.RunDir(), t.DataDir, made)
}

// program says which executable to look for. It is OpenTofu if its version is set, or if Atmos
// is configured to run it.
func (w *Workspace) program() install.Options {
	name, version := w.Target.Program()
	o := install.Options{
		Name: name, Constraint: version, Environ: w.environ,
		Root: w.Target.Root, Dir: w.inRoot(w.Target.Dir), ToolCache: w.Context.ToolCache,
	}
	if atmos := w.Target.Atmos; atmos != nil {
		o.Command = atmos.Command
	}
	if o.Command == o.Name {
		o.Command = ""
	}
	return o
}

// atmosEnv returns Atmos' environment. In it, the name that Atmos looks for on PATH leads to the
// Terraform at path.
func (w *Workspace) atmosEnv(wanted install.Options, path string) (map[string]string, error) {
	env := maps.Clone(w.repository.Source.Env)
	name := wanted.Command
	if name == "" {
		name = wanted.Name
	}
	if found, err := exec.LookPath(name); strings.ContainsRune(name, filepath.Separator) || err == nil && found == path {
		return env, nil
	}
	bin := filepath.Join(w.Dir, "bin")
	err := os.RemoveAll(bin) // from an earlier choose
	if err == nil {
		err = errors.Join(os.Mkdir(bin, 0o700), os.Symlink(path, filepath.Join(bin, name)))
	}
	if err != nil {
		return nil, fmt.Errorf("put %s where Atmos finds it: %w", name, err)
	}
	env["PATH"] = bin
	if rest := cmp.Or(w.repository.Source.Env["PATH"], envlist.Value(w.environ, "PATH")); rest != "" {
		env["PATH"] += string(filepath.ListSeparator) + rest
	}
	return env, nil
}

// describe logs how the target is configured. No value in it is secret: each one is in Git or
// is an input.
func (w *Workspace) describe(cli *terraform.CLI) {
	log := w.runtime.Group("settings: " + w.Target.String())
	defer log.Close()
	for _, line := range [][2]string{
		{"folder", w.Target.Dir},
		{"workspace", w.Target.Workspace},
		{"var files", strings.Join(w.Target.VarFiles, ", ")},
		{"backend config", strings.Join(w.Target.BackendConfig, ", ")},
		{"program", cli.Path},
		{"atmos", w.AtmosVersion()},
	} {
		if line[0] == "atmos" && line[1] == "" {
			continue
		}
		fmt.Fprintf(log, "%s: %s\n", line[0], line[1])
	}
	for _, line := range w.Origins() {
		fmt.Fprintln(log, line)
	}
}

// AtmosVersion returns the version and edition of Atmos. It is empty for a target of gitops.yaml.
func (w *Workspace) AtmosVersion() string {
	if w.Target.Atmos == nil {
		return ""
	}
	return w.Target.Atmos.Version
}

// Init initializes the target's backend and providers. If there is a dependency lock file, Init
// keeps to it and leaves it unchanged. If there is none, Init writes lock there first (from a
// planfile, or nil). See upgrade for -upgrade.
func (t *Terraform) Init(ctx context.Context, lock []byte) (err error) {
	w, cli := t.workspace, t.CLI
	upgrade, err := w.upgrade(ctx, cli)
	if err != nil && len(lock) == 0 {
		return err
	}
	locked, err := placeLock(filepath.Join(cli.Dir, lockFile), lock)
	if err != nil {
		return err
	}
	switch {
	case !upgrade:
	case len(lock) > 0:
		w.runtime.Notice(gha.Annotation{Message: fmt.Sprintf("%s: -upgrade in TF_CLI_ARGS_init is left out: an apply takes the providers that the plan was made with.", w.Target)})
		without := *cli
		without.Env, cli = terraform.WithoutUpgrade(cli.Env), &without
	default:
		locked = false // another target's init in this folder wrote it
	}
	var backend []string
	for _, setting := range w.Target.BackendConfig {
		if !strings.Contains(setting, "=") {
			setting = w.inRoot(setting)
		}
		backend = append(backend, setting)
	}
	cli, leave, err := w.forInit(ctx, cli)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	t.version, err = cli.Init(ctx, terraform.InitOptions{BackendConfig: backend, VarFiles: w.varFiles(), LockReadonly: locked})
	return err
}

// upgrade reports whether the user's environment adds -upgrade to init, for the newest providers.
// Terraform refuses -upgrade together with -lockfile=readonly. If Git tracks a dependency lock
// file, upgrade returns an error: the plan would use other providers than the reviewed ones.
func (w *Workspace) upgrade(ctx context.Context, cli *terraform.CLI) (asked bool, err error) {
	env := cli.Env
	if cli.Atmos != nil {
		env = slices.Concat(env, cli.Atmos.Env)
	}
	if asked, err = terraform.Upgrades(env); err != nil || !asked {
		return asked, err
	}
	lock := path.Join(w.Target.Dir, lockFile)
	tracked, err := w.Target.Tracks(ctx, lock)
	if err == nil && tracked {
		err = problem.With(problem.Input, fmt.Errorf("initialize %s: TF_CLI_ARGS_init asks for -upgrade, and Git has %s, which says which providers to take: remove -upgrade, and take newer ones by a commit that changes that file (terraform init -upgrade)", w.Target, lock))
	}
	return true, err
}

// Plan plans with the target's variable files, after Init unless PlanInitializes.
func (t *Terraform) Plan(ctx context.Context, o terraform.PlanOptions) (_ terraform.PlanResult, failed error) {
	w, cli := t.workspace, t.CLI
	o.VarFiles = w.varFiles()
	if cli.Atmos != nil {
		if _, err := w.upgrade(ctx, cli); err != nil {
			return terraform.PlanResult{}, err
		}
		shared, leave, err := w.forInit(ctx, cli)
		if err != nil {
			return terraform.PlanResult{}, err
		}
		defer func() { failed = errors.Join(failed, leave()) }()
		cli = shared
	}
	return cli.Plan(ctx, o)
}

// Apply applies a planfile. It passes only the variables that the planfile doesn't hold, which are
// the ephemeral ones: from the target's variable files (Atmos passes its own) and from the
// environment. made is the program that made the planfile. inside is the planfile's content, or
// nil if it is encrypted: then the apply gets the whole environment.
func (t *Terraform) Apply(ctx context.Context, planfile, made string, inside *planfile.File) (terraform.ApplyResult, error) {
	w, cli := t.workspace, t.CLI
	if inside == nil {
		return cli.Apply(ctx, planfile)
	}
	again := inside.Ephemeral(made)
	without := *cli
	without.Env = inside.ApplyEnviron(cli.Env, made)
	if len(again) == 0 || cli.Atmos != nil {
		return without.Apply(ctx, planfile)
	}
	return without.Apply(ctx, planfile, w.varFiles()...)
}

// forInit lets the CLI's next init use the plugin cache of all targets, if there is one, and read
// private modules. Call done after it.
func (w *Workspace) forInit(ctx context.Context, cli *terraform.CLI) (_ *terraform.CLI, done func() error, err error) {
	access, remove, err := w.Inputs.Git.Give(w.Dir, cli.Env)
	if err != nil {
		return nil, nil, problem.With(problem.Runner, fmt.Errorf("initialize %s: %w", w.Target, err))
	}
	shared, leave, err := w.repository.Plugins.Join(ctx, cli, filepath.Join(w.Dir, "plugins"))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("initialize %s: %w", w.Target, err), remove())
	}
	with := *shared
	with.InitEnv = access
	return &with, func() error {
		leave()
		return remove()
	}, nil
}

// placeLock reports whether a root module has a dependency lock file. If it has none, placeLock
// writes lock there first. It renames a complete file, since others may be reading it.
func placeLock(file string, lock []byte) (found bool, err error) {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) || len(lock) == 0 {
		return err == nil, nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("put the planfile's dependency lock file in place: %w", err)
		}
	}()
	whole, err := os.CreateTemp(filepath.Dir(file), ".gitops-*")
	if err != nil {
		return false, err
	}
	_, err = whole.Write(lock)
	// It holds no secret, and Terraform itself makes it readable.
	if err = errors.Join(err, whole.Chmod(0o644), whole.Close()); err == nil {
		err = os.Rename(whole.Name(), file)
	}
	if err != nil {
		return false, errors.Join(err, os.Remove(whole.Name()))
	}
	return true, nil
}

// varFiles returns the absolute paths of the target's variable files, in order.
func (w *Workspace) varFiles() []string {
	var files []string
	for _, f := range w.Target.VarFiles {
		files = append(files, w.inRoot(f))
	}
	return files
}

// VariableSources lists the sources of the root module's variables for program, which is
// terraform or tofu.
func (w *Workspace) VariableSources(program string) tfvars.Sources {
	s := tfvars.Sources{Dir: w.inRoot(w.Target.Dir), Program: program, VarFiles: w.varFiles(), Env: w.Target.Env, Job: w.jobEnviron()}
	if atmos := w.Target.Atmos; atmos != nil {
		s.Values, s.Env = atmos.Vars, map[string]string{}
		for name, value := range atmos.Env {
			s.Env[name] = fmt.Sprint(value)
		}
	}
	return s
}

func (w *Workspace) inRoot(name string) string {
	return filepath.Join(w.Target.Root, filepath.FromSlash(name))
}

// dataDir returns Terraform's data folder for this target, relative to the root module's folder.
// It is .terraform if no other target uses the folder, or if all its targets take turns: then a
// downloaded module has the usual path.module. Otherwise it is a folder of the target's own, so
// that targets that share a root module don't share a workspace, modules or a backend. Plan and
// apply get the same path: see terraform.CLI.DataDir.
func (w *Workspace) dataDir() string {
	if w.Target.Alone || w.Target.Atmos != nil && !w.sharesData() {
		return terraformData
	}
	name := sha256.Sum256([]byte(w.Target.Component + "\x00" + w.Target.Stack))
	return terraformData + "/gitops-" + hex.EncodeToString(name[:4])
}

// terraformData is Terraform's own data folder.
const terraformData = ".terraform"

// setAside moves away a .terraform folder that an earlier step of the job has left, with other
// modules or another backend. putBack restores it when the job ends.
func (w *Workspace) setAside() error {
	if w.dataDir() != terraformData || w.prepared {
		return nil
	}
	w.prepared = true
	data := filepath.Join(w.inRoot(w.Target.Dir), terraformData)
	if _, err := os.Lstat(data); err != nil {
		return nil //nolint:nilerr // there is none, or Terraform will say what is wrong
	}
	folder, err := os.MkdirTemp(filepath.Dir(data), ".terraform-aside-")
	if err == nil {
		w.aside = filepath.Join(folder, terraformData)
		err = os.Rename(data, w.aside)
	}
	if err != nil {
		return fmt.Errorf("set aside the data folder of Terraform that was there before: %w", err)
	}
	return nil
}

// putBack undoes setAside.
func (w *Workspace) putBack() error {
	if w.aside == "" {
		return nil
	}
	aside := w.aside
	w.aside = ""
	return errors.Join(os.Rename(aside, filepath.Join(w.inRoot(w.Target.Dir), terraformData)), os.Remove(filepath.Dir(aside)))
}
