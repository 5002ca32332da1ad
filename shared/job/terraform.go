package job

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	goversion "github.com/hashicorp/go-version"

	"github.com/terraform-gitops/gitops/shared/target"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

const lockFile = ".terraform.lock.hcl"

// Terraform returns the target's Terraform or OpenTofu, to be run before Close with
// the credentials of role; the ambient ones when it is empty. Its environment holds
// nothing of the runner's or of the store's.
func (j *Job) Terraform(ctx context.Context, role string, now func() time.Time) (*terraform.CLI, error) {
	var credentials map[string]string
	if role != "" {
		var err error
		if credentials, err = j.terraformCredentials(ctx, role, now); err != nil {
			return nil, fmt.Errorf("get Terraform's credentials for %s: %w", j.Target, err)
		}
	}
	name, constraint := "terraform", j.Target.Settings.TerraformVersion
	if j.Target.Settings.OpenTofuVersion != "" {
		name, constraint = "tofu", j.Target.Settings.OpenTofuVersion
	}
	if atmos := j.Target.Atmos; atmos != nil && atmos.Command != "" {
		name, constraint = atmos.Command, j.Target.Settings.TerraformVersion
		if strings.HasPrefix(filepath.Base(name), "tofu") {
			constraint = j.Target.Settings.OpenTofuVersion
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("%s needs %s, which is not on PATH: install it in a step before this one, such as hashicorp/setup-terraform with terraform_wrapper: false", j.Target, name)
	}
	// The wrapper that hashicorp/setup-terraform and opentofu/setup-opentofu install
	// unless told not to passes no signal on, hides the exit status of a plan with
	// changes, and adds to the output. It keeps the program itself beside it:
	// https://github.com/hashicorp/setup-terraform/blob/main/lib/setup-terraform.js
	if info, err := os.Stat(path + "-bin"); err == nil && info.Mode().IsRegular() {
		path += "-bin"
	}
	add := j.Target.Env
	var atmos *terraform.Atmos
	if j.Target.Atmos != nil {
		if add, err = j.atmosEnv(name, path); err != nil {
			return nil, err
		}
		atmos = &terraform.Atmos{Path: j.source.atmos, Dir: j.Target.Root, Component: j.Target.Component, Stack: j.Target.Stack, Identity: j.Inputs.Identity}
	}
	cli := &terraform.CLI{
		Atmos:     atmos,
		Path:      path,
		Dir:       j.inRoot(j.Target.Dir),
		Env:       terraform.Environ(j.environ, add, credentials),
		DataDir:   j.dataDir(),
		Workspace: j.Target.Workspace,
	}
	if j.Inputs.Debug {
		j.describe(cli)
	}
	return cli, satisfies(ctx, cli, j.Target, constraint)
}

// atmosEnv is what Atmos needs of the environment, so that it runs the Terraform at
// path, by the name under which it looks for it on PATH.
func (j *Job) atmosEnv(name, path string) (map[string]string, error) {
	env := maps.Clone(j.source.env)
	if found, err := exec.LookPath(name); err == nil && found == path {
		return env, nil
	}
	bin := filepath.Join(j.Dir, "bin")
	if err := errors.Join(os.MkdirAll(bin, 0o700), os.Symlink(path, filepath.Join(bin, filepath.Base(name)))); err != nil {
		return nil, fmt.Errorf("put %s where Atmos finds it: %w", name, err)
	}
	env["PATH"] = bin
	for _, entry := range j.environ {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			env["PATH"] = bin + string(filepath.ListSeparator) + value
		}
	}
	return env, nil
}

// describe shows how the target is configured. None of it is secret: it lies in
// Git, or is an input.
func (j *Job) describe(cli *terraform.CLI) {
	log := j.runtime.Group("settings: " + j.Target.String())
	defer log.Close()
	for _, line := range [][2]string{
		{"folder", j.Target.Dir},
		{"workspace", j.Target.Workspace},
		{"var files", strings.Join(j.Target.VarFiles, ", ")},
		{"backend config", strings.Join(j.Target.BackendConfig, ", ")},
		{"program", cli.Path},
	} {
		fmt.Fprintf(log, "%s: %s\n", line[0], line[1])
	}
	for _, line := range j.Origins() {
		fmt.Fprintln(log, line)
	}
}

func satisfies(ctx context.Context, cli *terraform.CLI, t target.Target, constraint string) error {
	if constraint == "" || constraint == "latest" {
		return nil
	}
	wanted, err := goversion.NewConstraint(constraint)
	if err != nil {
		return fmt.Errorf("%s wants version %q, which is not a version or constraint: %w", t, constraint, err)
	}
	installed, err := cli.Version(ctx)
	if err != nil {
		return err
	}
	number, err := goversion.NewVersion(installed.Number)
	if err != nil {
		return fmt.Errorf("%s says its version is %q: %w", cli.Path, installed.Number, err)
	}
	if !wanted.Check(number) {
		return fmt.Errorf("%s wants %s %s and the runner has %s: install that version in a step before this one", t, installed.Name, constraint, installed.Number)
	}
	return nil
}

// Init initializes the target's backend and providers. Where there is a
// dependency lock file, it is respected and left as it is; where there is none,
// lock (from a planfile, or nil) takes its place.
func (j *Job) Init(ctx context.Context, cli *terraform.CLI, lock []byte) error {
	file := filepath.Join(cli.Dir, lockFile)
	_, err := os.Stat(file)
	locked := err == nil
	if errors.Is(err, fs.ErrNotExist) && len(lock) > 0 {
		//nolint:gosec // a lock file holds no secret, and Terraform itself makes it readable
		if err := os.WriteFile(file, lock, 0o644); err != nil {
			return fmt.Errorf("put the planfile's dependency lock file in place: %w", err)
		}
		locked = true
	}
	var backend []string
	for _, setting := range j.Target.BackendConfig {
		if !strings.Contains(setting, "=") {
			setting = j.inRoot(setting)
		}
		backend = append(backend, setting)
	}
	return cli.Init(ctx, terraform.InitOptions{BackendConfig: backend, LockReadonly: locked})
}

// VarFiles are the target's variable files, absolute, in order.
func (j *Job) VarFiles() []string {
	var files []string
	for _, f := range j.Target.VarFiles {
		files = append(files, j.inRoot(f))
	}
	return files
}

func (j *Job) inRoot(name string) string {
	return filepath.Join(j.Target.Root, filepath.FromSlash(name))
}

// dataDir is Terraform's data folder of this target, so that targets that share
// a root module do not share a workspace, modules or backend. It is relative, and
// the same for plan and apply: see terraform.CLI.DataDir.
func (j *Job) dataDir() string {
	name := sha256.Sum256([]byte(j.Target.Component + "\x00" + j.Target.Stack))
	return ".terraform/gitops-" + hex.EncodeToString(name[:4])
}
