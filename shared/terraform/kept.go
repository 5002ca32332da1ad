package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrAfterTerraform is found in the error of a command that Terraform brought to a good
// end, and Atmos did not: it was killed, or what it does after Terraform failed. After an
// Apply all of the plan is applied, and the state is written.
var ErrAfterTerraform = problem.With(problem.Atmos, errors.New("the run of Terraform ended well, and that of Atmos did not"))

// kept are the Terraforms that one Atmos starts; see keep.go.
type kept struct{ folder string }

// keep has a command of Atmos start this program in Terraform's place: by a name on PATH,
// which is what a command in a stack manifest nearly always is, and by the variable that
// beats atmos.yaml. A path in a stack manifest beats both: that Terraform is Atmos' own
// child, and is waited for only as a part of its process group.
func (a *Atmos) keep(cmd *exec.Cmd, program string) (_ kept, err error) {
	defer func() {
		if err != nil {
			err = problem.With(problem.Runner, fmt.Errorf("prepare what Atmos starts as Terraform: %w", err))
		}
	}()
	folder, err := os.MkdirTemp(a.Scratch, "atmos-") // mode 0700
	if err != nil {
		return kept{}, err
	}
	config := keptProgram{Name: a.Command, Shim: filepath.Join(folder, "bin")}
	if config.Name == "" {
		config.Name = Terraform
	}
	name := filepath.Base(config.Name)
	onPath := name == config.Name
	if !onPath {
		config.Name = program
	}
	if value, set := lookupSet(cmd.Env, commandVariable); set {
		config.Command = &value
	}
	text, err := json.Marshal(config)
	shim := filepath.Join(config.Shim, name)
	script := fmt.Sprintf("#!/bin/sh\n%s=%s exec %s \"$@\"\n", keptVariable, shellWord(folder), shellWord(a.Keeper))
	for _, err := range []error{
		err,
		os.Mkdir(config.Shim, 0o700),
		os.Mkdir(filepath.Join(folder, keptRuns), 0o700),
		os.WriteFile(filepath.Join(folder, keptConfig), text, 0o600),
		os.WriteFile(shim, []byte(script), 0o700), //nolint:gosec // it is started
	} {
		if err != nil {
			return kept{}, errors.Join(err, os.RemoveAll(folder))
		}
	}
	cmd.Env = append(without(cmd.Env, commandVariable), commandVariable+"="+shim)
	if onPath {
		path := lookup(cmd.Env, "PATH")
		cmd.Env = append(without(cmd.Env, "PATH"), "PATH="+config.Shim+string(filepath.ListSeparator)+path)
	}
	return kept{folder}, nil
}

// shellWord makes one word of s for a POSIX shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// keptRun is one of the Terraforms that Atmos started.
type keptRun struct {
	startedRun
	folder string
}

// runs are those that were started, the first one first.
func (k kept) runs() []keptRun {
	folders, _ := os.ReadDir(filepath.Join(k.folder, keptRuns)) // sorted: names begin with the time
	var runs []keptRun
	for _, folder := range folders {
		r := keptRun{folder: filepath.Join(k.folder, keptRuns, folder.Name())}
		text, err := os.ReadFile(filepath.Join(r.folder, runStarted))
		if err == nil && json.Unmarshal(text, &r.startedRun) == nil {
			runs = append(runs, r)
		}
	}
	return runs
}

// alive reports whether a run has not ended. Its keeper holds a lock until it has; no
// process that gets the keeper's number after that does.
func (r keptRun) alive() bool {
	f, err := os.Open(filepath.Join(r.folder, runAlive))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	if errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK) { //nolint:gosec // a descriptor is a small number
		return true
	}
	// A keeper that was killed leaves its Terraform alone.
	_, ended := r.status()
	group, started := r.leader()
	return !ended && started && groupRuns(group)
}

// leader is Terraform's process group; false before it has started.
func (r keptRun) leader() (int, bool) {
	text, err := os.ReadFile(filepath.Join(r.folder, runLeader))
	if err != nil {
		return 0, false
	}
	group, err := strconv.Atoi(string(text))
	return group, err == nil
}

// status is Terraform's exit status, -1 when a signal has killed it; false when nobody knows.
func (r keptRun) status() (int, bool) {
	text, err := os.ReadFile(filepath.Join(r.folder, runStatus))
	if err != nil {
		return 0, false
	}
	status, err := strconv.Atoi(string(text))
	return status, err == nil
}

func (k kept) alive() []keptRun {
	return slices.DeleteFunc(k.runs(), func(r keptRun) bool { return !r.alive() })
}

// main is the run that Atmos was started for: the last one that has all the arguments
// that were meant for it. Others are for the workspace, or of hooks.
func (k kept) main(args []string) (keptRun, bool) {
	runs := k.runs()
	for _, r := range slices.Backward(runs) {
		if len(r.Args) > 0 && r.Args[0] == args[0] && !slices.ContainsFunc(args[1:], func(arg string) bool { return !slices.Contains(r.Args, arg) }) {
			return r, true
		}
	}
	return keptRun{}, false
}

// stop has no Terraform started any more, has those that run interrupted, and reports
// whether there were any. Each gets one interrupt, and another one with a second call.
func (k kept) stop() (any bool) {
	k.close()
	for _, r := range k.alive() {
		any = syscall.Kill(r.Keeper, syscall.SIGINT) == nil || any
	}
	return any
}

// close has no Terraform started any more.
func (k kept) close() {
	_ = os.WriteFile(filepath.Join(k.folder, keptStop), nil, 0o600) // there is nothing better
}

// kill ends those that run.
func (k kept) kill() {
	for _, r := range k.alive() {
		if group, started := r.leader(); started {
			_ = syscall.Kill(-group, syscall.SIGKILL) // with its providers
		}
	}
}

// wait has no Terraform started any more, waits for those that run, and reports whether
// there were any: their Atmos has ended before them.
func (k kept) wait() (outlived bool) {
	k.close()
	for len(k.alive()) > 0 {
		outlived = true
		time.Sleep(groupInterval)
	}
	return outlived
}

// rest hands on the messages of a run but for the first, which were seen as they came
// through Atmos.
func (r keptRun) rest(seen int, emit func(line []byte, omitted int)) error {
	f, err := os.Open(filepath.Join(r.folder, runStdout))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := lineSplitter{emit: func(line []byte, omitted int) {
		switch {
		case !isMessage(line, omitted):
		case seen > 0:
			seen--
		default:
			emit(line, omitted)
		}
	}}
	ended := make(chan struct{})
	close(ended)
	err = follow(f, ended, &lines)
	lines.flush()
	return err
}

func (k kept) remove() { _ = os.RemoveAll(k.folder) } // else it goes with the job's folder

func lookupSet(environ []string, name string) (string, bool) {
	set := slices.ContainsFunc(environ, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
	return lookup(environ, name), set
}

// ending is how a command ended.
type ending struct {
	code     int     // of Terraform, as far as is known
	run      keptRun // of Terraform; zero unless it is known
	atmos    int     // Atmos' own exit status; -1 when a signal has killed it
	outlived bool    // Atmos has ended before a Terraform
}

// ending is how a command of Atmos ended, whose process ended as e says.
func (k kept) ending(args []string, e ending) ending {
	e.atmos = e.code
	run, found := k.main(args)
	if !found {
		return e // a Terraform that Atmos has started by its path, or none
	}
	e.run, e.code = run, -1 // what has no status was killed, and its keeper, too
	if status, known := run.status(); known {
		e.code = status
	}
	return e
}

// cut reports whether Terraform has said more than Atmos may have passed on.
func (e ending) cut() bool { return e.run.folder != "" && (e.outlived || e.atmos != e.code) }

// afterTerraform is the error of a command that Terraform brought to a good end.
func (c *CLI) afterTerraform(args []string, e ending, t *transcript) error {
	switch {
	case c.Atmos == nil:
		return nil
	case (args[0] == "plan" || args[0] == "apply") && t.version == (Version{}):
		// Such as of a component that is disabled. Both commands begin with their version.
		return c.failure(args, e.code, problem.With(problem.Atmos, fmt.Errorf("Atmos came to a good end, and ran no %s", args[0])), t)
	case e.run.folder == "" || e.atmos == e.code || e.atmos == 0: // Atmos may make another code 0
		return nil
	case e.atmos < 0:
		return c.failure(args, e.atmos, fmt.Errorf("%w: it was killed by a signal", ErrAfterTerraform), t)
	}
	return c.failure(args, e.atmos, fmt.Errorf("%w: exit status %d", ErrAfterTerraform, e.atmos), t)
}
