package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/program"
)

// Runs are the Terraforms that one command of Atmos starts. There may be several: one for
// the workspace, one for the command, those of hooks.
type Runs struct{ folder string }

// Options say what a command of Atmos should start.
type Options struct {
	Command string   // what Atmos starts as Terraform: a name, or a path; empty is "terraform"
	Program string   // Terraform's path, used if Command is a path
	Keeper  string   // a program that begins with [Keep]
	Scratch string   // a private folder, for Terraform's output until it is read
	Args    []string // for Terraform
	InitEnv []string // added to the environment of each init. They are in a private file, and hold no secret
}

// Prepare changes a command of Atmos so that it starts the keeper in Terraform's place: it
// puts a script of Terraform's name on PATH, and sets the variable that overrides
// atmos.yaml. A path in a stack manifest overrides both. Such a Terraform is Atmos' own
// child: it has no keeper, and is waited for only as a part of Atmos' process group.
func Prepare(cmd *exec.Cmd, o Options) (_ Runs, err error) {
	defer func() {
		if err != nil {
			err = problem.With(problem.Runner, fmt.Errorf("prepare what Atmos starts as Terraform: %w", err))
		}
	}()
	folder, err := os.MkdirTemp(o.Scratch, "atmos-") // mode 0700
	if err != nil {
		return Runs{}, err
	}
	config := keptProgram{Name: o.Command, Shim: filepath.Join(folder, "bin"), Main: o.Args, InitEnv: o.InitEnv}
	if config.Name == "" {
		config.Name = program.Terraform
	}
	name := filepath.Base(config.Name)
	onPath := name == config.Name
	if !onPath {
		config.Name = o.Program
	}
	if value, set := envlist.Lookup(cmd.Env, commandVariable); set {
		config.Command = &value
	}
	text, err := json.Marshal(config)
	shim := filepath.Join(config.Shim, name)
	// A process that starts while the shim is open for writing would hold it open for a moment, and
	// Atmos could not run it: https://go.dev/issue/22315
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	script := fmt.Sprintf("#!/bin/sh\n%s=%s exec %s \"$@\"\n", keptVariable, shellWord(folder), shellWord(o.Keeper))
	for _, err := range []error{
		err,
		os.Mkdir(config.Shim, 0o700),
		os.Mkdir(filepath.Join(folder, keptRuns), 0o700),
		os.WriteFile(filepath.Join(folder, keptConfig), text, 0o600),
		os.WriteFile(shim, []byte(script), 0o700), //nolint:gosec // it is started
	} {
		if err != nil {
			return Runs{}, errors.Join(err, os.RemoveAll(folder))
		}
	}
	cmd.Env = append(envlist.Without(cmd.Env, commandVariable), commandVariable+"="+shim)
	if onPath {
		path := envlist.Value(cmd.Env, "PATH")
		cmd.Env = append(envlist.Without(cmd.Env, "PATH"), "PATH="+config.Shim+string(filepath.ListSeparator)+path)
	}
	return Runs{folder}, nil
}

// shellWord makes one word of s for a POSIX shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// Run is one Terraform that Atmos has started.
type Run struct {
	startedRun
	folder string
}

// runs lists the Terraforms in the order in which they were started.
func (k Runs) runs() []Run {
	folders, _ := os.ReadDir(filepath.Join(k.folder, keptRuns)) // sorted: names begin with the time
	var runs []Run
	for _, folder := range folders {
		r := Run{folder: filepath.Join(k.folder, keptRuns, folder.Name())}
		text, err := os.ReadFile(filepath.Join(r.folder, runStarted))
		if err == nil && json.Unmarshal(text, &r.startedRun) == nil {
			runs = append(runs, r)
		}
	}
	return runs
}

// Alive reports whether a run has not ended. It asks for the lock that the keeper holds, and
// not for the keeper's process ID, which another process may have by now.
func (r Run) Alive() bool {
	f, err := os.Open(filepath.Join(r.folder, runAlive))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	if errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK) { //nolint:gosec // a descriptor is a small number
		return true
	}
	// If the keeper was killed, its Terraform may still run.
	_, ended := r.Status()
	group, started := r.leader()
	return !ended && started && groupRuns(group)
}

// leader is the ID of Terraform's process group; false if it has not started.
func (r Run) leader() (int, bool) {
	text, err := os.ReadFile(filepath.Join(r.folder, runLeader))
	if err != nil {
		return 0, false
	}
	group, err := strconv.Atoi(string(text))
	return group, err == nil
}

// Status is Terraform's exit status: -1 if a signal has killed it, and false if it is not
// known.
func (r Run) Status() (int, bool) {
	text, err := os.ReadFile(filepath.Join(r.folder, runStatus))
	if err != nil {
		return 0, false
	}
	status, err := strconv.Atoi(string(text))
	return status, err == nil
}

func (k Runs) alive() []Run {
	return slices.DeleteFunc(k.runs(), func(r Run) bool { return !r.Alive() })
}

// Main is the run that Atmos was started for: the last one that has all of the arguments
// that Atmos was given for Terraform. It is false if there is none.
func (k Runs) Main(args []string) (Run, bool) {
	runs := k.runs()
	for _, r := range slices.Backward(runs) {
		if isMain(args, r.Args) {
			return r, true
		}
	}
	return Run{}, false
}

// Stop prevents that another Terraform is started, interrupts those that run, and reports
// whether there were any. A second call interrupts them a second time.
func (k Runs) Stop() (any bool) {
	k.close()
	for _, r := range k.alive() {
		any = syscall.Kill(r.Keeper, syscall.SIGINT) == nil || any
	}
	return any
}

// close prevents that another Terraform is started.
func (k Runs) close() {
	_ = os.WriteFile(filepath.Join(k.folder, keptStop), nil, 0o600) // if that fails, nothing better can be done
}

// Kill kills the Terraforms that run.
func (k Runs) Kill() {
	for _, r := range k.alive() {
		if group, started := r.leader(); started {
			_ = syscall.Kill(-group, syscall.SIGKILL) // with its providers
		}
	}
}

// Wait prevents that another Terraform is started, and waits for those that run. It reports
// whether there were any, which have then outlived Atmos.
func (k Runs) Wait() (outlived bool) {
	k.close()
	for len(k.alive()) > 0 {
		outlived = true
		time.Sleep(PollInterval)
	}
	return outlived
}

// Output copies what the run has written so far to standard output.
func (r Run) Output(to io.Writer) error {
	f, err := os.Open(filepath.Join(r.folder, runStdout))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	ended := make(chan struct{})
	close(ended)
	return Follow(f, ended, to)
}

// Remove removes the folder of the runs.
func (k Runs) Remove() { _ = os.RemoveAll(k.folder) } // if that fails, it is removed with the job's folder
