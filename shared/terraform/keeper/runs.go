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

// Runs are the Terraforms that one Atmos starts.
type Runs struct{ folder string }

// Options say what a command of Atmos is to start.
type Options struct {
	Command string // what Atmos starts as Terraform: a name, or a path; empty is "terraform"
	Program string // the path of Terraform, for a Command that is a path
	Keeper  string // a program that begins with [Keep]
	Scratch string // a private folder, for what Terraform says until it is read
}

// Prepare has a command of Atmos start the keeper in Terraform's place: by a name on PATH,
// which is what a command in a stack manifest nearly always is, and by the variable that
// beats atmos.yaml. A path in a stack manifest beats both: that Terraform is Atmos' own
// child, and is waited for only as a part of its process group.
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
	config := keptProgram{Name: o.Command, Shim: filepath.Join(folder, "bin")}
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

// Run is one of the Terraforms that Atmos started.
type Run struct {
	startedRun
	folder string
}

// runs are those that were started, the first one first.
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

// Alive reports whether a run has not ended. Its keeper holds a lock until it has; no
// process that gets the keeper's number after that does.
func (r Run) Alive() bool {
	f, err := os.Open(filepath.Join(r.folder, runAlive))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	if errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK) { //nolint:gosec // a descriptor is a small number
		return true
	}
	// A keeper that was killed leaves its Terraform alone.
	_, ended := r.Status()
	group, started := r.leader()
	return !ended && started && groupRuns(group)
}

// leader is Terraform's process group; false before it has started.
func (r Run) leader() (int, bool) {
	text, err := os.ReadFile(filepath.Join(r.folder, runLeader))
	if err != nil {
		return 0, false
	}
	group, err := strconv.Atoi(string(text))
	return group, err == nil
}

// Status is Terraform's exit status, -1 when a signal has killed it; false when nobody knows.
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

// Main is the run that Atmos was started for: the last one that has all the arguments
// that were meant for it. Others are for the workspace, or of hooks.
func (k Runs) Main(args []string) (Run, bool) {
	runs := k.runs()
	for _, r := range slices.Backward(runs) {
		if len(r.Args) > 0 && r.Args[0] == args[0] && !slices.ContainsFunc(args[1:], func(arg string) bool { return !slices.Contains(r.Args, arg) }) {
			return r, true
		}
	}
	return Run{}, false
}

// Stop has no Terraform started any more, has those that run interrupted, and reports
// whether there were any. Each gets one interrupt, and another one with a second call.
func (k Runs) Stop() (any bool) {
	k.close()
	for _, r := range k.alive() {
		any = syscall.Kill(r.Keeper, syscall.SIGINT) == nil || any
	}
	return any
}

// close has no Terraform started any more.
func (k Runs) close() {
	_ = os.WriteFile(filepath.Join(k.folder, keptStop), nil, 0o600) // there is nothing better
}

// Kill ends those that run.
func (k Runs) Kill() {
	for _, r := range k.alive() {
		if group, started := r.leader(); started {
			_ = syscall.Kill(-group, syscall.SIGKILL) // with its providers
		}
	}
}

// Wait has no Terraform started any more, waits for those that run, and reports whether
// there were any: their Atmos has ended before them.
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

// Remove removes what was kept for the runs.
func (k Runs) Remove() { _ = os.RemoveAll(k.folder) } // else it goes with the job's folder
