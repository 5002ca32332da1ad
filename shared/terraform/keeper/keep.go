// Package keeper has Terraform outlive the Atmos that starts it.
//
// Atmos passes Terraform's output on through a pipe, so that a Terraform whose Atmos has died
// dies of its next line, in the middle of an apply. So Atmos starts this program in
// Terraform's place ([Prepare] says how), twice:
//
//	Atmos ── front ── keeper ── Terraform ── providers
//
// The front is what Atmos sees of Terraform: it passes on the output, a first signal, and
// the exit status, and may die at any time. The keeper leads a process group of its own,
// which Atmos does not know, in the session of the action, where the launcher finds what
// has outlived the action itself. It has Terraform, in a session of its own, write to files,
// waits for it, and notes how it ended in a folder that the action reads ([Runs]): that is
// the truth, whatever became of Atmos.
//
// A program that wants this begins with [Keep].
package keeper

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/terraform-gitops/gitops/shared/envlist"
)

// The variables by which the program knows that it is started as front or as keeper.
const (
	keptVariable   = "GITOPS_KEPT"   // for the front: the folder of the Terraforms that one Atmos starts
	keeperVariable = "GITOPS_KEEPER" // for the keeper: the folder of its Terraform
)

// Files of the folder of the Terraforms that one Atmos starts.
const (
	keptConfig = "config.json" // keptProgram
	keptStop   = "stop"        // there is one: no Terraform is started any more
	keptRuns   = "runs"        // a folder for each Terraform
)

// Files of a Terraform's folder.
const (
	runStarted = "started.json" // startedRun, once the keeper listens to signals
	runLeader  = "leader"       // Terraform's process, which leads its group
	runStdout  = "stdout"
	runStderr  = "stderr" // none where it goes where stdout goes
	runStatus  = "status" // Terraform's exit status, once it has ended
	runAlive   = "alive"  // locked while the keeper lives
)

// keptProgram says what is started in place of the program that Atmos starts.
type keptProgram struct {
	Name    string  // of Terraform, looked up on PATH as Atmos would; or a path
	Shim    string  // the folder on PATH with what Atmos starts, for nobody else to find
	Command *string // commandVariable as it was
}

// startedRun says what a keeper has started.
type startedRun struct {
	Keeper int // process
	Args   []string
}

// commandVariable beats components.terraform.command of atmos.yaml. A command in a stack
// manifest beats both.
const commandVariable = "ATMOS_COMPONENTS_TERRAFORM_COMMAND"

// notStarted is the exit status when Terraform could not be started, as a shell has it.
const notStarted = 127

// Keep does the work of this program when Atmos has started it in Terraform's place, and
// returns its exit status; false when it is started as itself. A program whose path is
// [Options.Keeper] begins with it.
func Keep(args, environ []string) (status int, kept bool) {
	if folder := envlist.Value(environ, keeperVariable); folder != "" {
		return keeper{folder: folder, args: args[1:], environ: envlist.Without(environ, keeperVariable)}.run(), true
	}
	if folder := envlist.Value(environ, keptVariable); folder != "" {
		status, err := front(folder, args, envlist.Without(environ, keptVariable))
		if err != nil {
			fmt.Fprintf(os.Stderr, "Error: Terraform was not started: %v\n", err)
		}
		return status, true
	}
	return 0, false
}

// front has a keeper start Terraform, and passes on what that says and how it ends.
func front(folder string, args, environ []string) (status int, err error) {
	// A write to an Atmos that has died must not end this process: it is the keeper's parent.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)

	self, err := os.Executable()
	if err != nil {
		return notStarted, err
	}
	run, err := os.MkdirTemp(filepath.Join(folder, keptRuns), fmt.Sprintf("%020d-", time.Now().UnixNano())) // mode 0700
	if err != nil {
		return notStarted, err
	}
	var all sync.WaitGroup
	exited := make(chan struct{})
	outputs := []string{runStdout, runStderr}
	if sameFile(os.Stdout, os.Stderr) {
		outputs = outputs[:1] // one file keeps the order
	}
	for i, name := range outputs {
		file, err := os.OpenFile(filepath.Join(run, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil {
			return notStarted, err
		}
		to := &ignoringErrors{[]*os.File{os.Stdout, os.Stderr}[i]}
		all.Go(func() { _ = Follow(file, exited, to) })
	}
	cmd := exec.Command(self, args[1:]...) //nolint:noctx // Terraform is never killed with its front
	cmd.Env = append(environ, keeperVariable+"="+run)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		close(exited)
		return notStarted, err
	}
	go func() {
		for s := range signals {
			if s != syscall.SIGPIPE {
				_ = cmd.Process.Signal(syscall.SIGHUP) // see keeper.interrupt
			}
		}
	}()
	_ = cmd.Wait() // its status is Terraform's
	close(exited)
	all.Wait()
	if text, err := os.ReadFile(filepath.Join(run, runStatus)); err == nil {
		if status, err := strconv.Atoi(string(text)); err == nil && status >= 0 {
			return status, nil
		}
	}
	return max(1, cmd.ProcessState.ExitCode()), nil
}

// keeper waits for a Terraform.
type keeper struct {
	folder  string // of this Terraform
	args    []string
	environ []string
}

func (k keeper) run() int {
	status, err := k.keep()
	if err != nil {
		k.say(fmt.Sprintf("Error: Terraform was not started: %v\n", err))
	}
	if err := writeWhole(filepath.Join(k.folder, runStatus), []byte(strconv.Itoa(status))); err != nil {
		return 1 // nobody is told: the action takes it for killed
	}
	return status
}

// say has the front pass on a line, as Terraform's.
func (k keeper) say(line string) {
	for _, name := range []string{runStderr, runStdout} {
		if f, err := os.OpenFile(filepath.Join(k.folder, name), os.O_WRONLY|os.O_APPEND, 0); err == nil {
			_, _ = f.WriteString(line)
			_ = f.Close()
			return
		}
	}
}

// keep runs Terraform to its end. Its exit status is -1 when a signal has killed it.
func (k keeper) keep() (status int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)

	alive, err := os.OpenFile(filepath.Join(k.folder, runAlive), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return notStarted, err
	}
	defer func() { _ = alive.Close() }()                                    // as the end of this process does; Terraform does not have it
	if err := syscall.Flock(int(alive.Fd()), syscall.LOCK_EX); err != nil { //nolint:gosec // a descriptor is a small number
		return notStarted, err
	}
	started, err := json.Marshal(startedRun{Keeper: os.Getpid(), Args: k.args})
	if err == nil {
		err = writeWhole(filepath.Join(k.folder, runStarted), started)
	}
	if err != nil {
		return notStarted, err
	}
	// Whoever says from now on that nothing is to be started finds this run, and interrupts it.
	above := filepath.Dir(filepath.Dir(k.folder))
	if exists(filepath.Join(above, keptStop)) {
		return 1, errors.New("interrupted")
	}
	cmd, err := k.command(above)
	if err != nil {
		return notStarted, err
	}
	if err := cmd.Start(); err != nil {
		return notStarted, err
	}
	group := cmd.Process.Pid
	_ = writeWhole(filepath.Join(k.folder, runLeader), []byte(strconv.Itoa(group))) // else it can't be killed
	ended, unspread := make(chan struct{}), make(chan bool, 1)
	go func() { unspread <- k.interrupt(group, signals, ended) }()
	_ = cmd.Wait() // how it ended is in ProcessState
	close(ended)
	// It may have been a script, and its Terraform goes on.
	if <-unspread {
		signalOthers(group)
	}
	if exists(filepath.Join(above, keptStop)) || !cmd.ProcessState.Exited() {
		WaitForGroup(group)
	}
	return cmd.ProcessState.ExitCode(), nil
}

// command is Terraform, as Atmos would have started it.
func (k keeper) command(above string) (*exec.Cmd, error) {
	var program keptProgram
	text, err := os.ReadFile(filepath.Join(above, keptConfig))
	if err == nil {
		err = json.Unmarshal(text, &program)
	}
	if err != nil {
		return nil, err
	}
	environ := envlist.Without(k.environ, commandVariable)
	if program.Command != nil {
		environ = append(environ, commandVariable+"="+*program.Command)
	}
	// Also for what Terraform starts: a provisioner's own Terraform is none of Atmos'.
	folders := slices.DeleteFunc(filepath.SplitList(envlist.Value(environ, "PATH")), func(folder string) bool { return folder == program.Shim })
	environ = append(envlist.Without(environ, "PATH"), "PATH="+strings.Join(folders, string(filepath.ListSeparator)))
	path, err := lookPath(program.Name, folders)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, k.args...) //nolint:noctx // it is interrupted, and waited for
	cmd.Args[0] = program.Name
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = environ
	cmd.Stdout, err = os.OpenFile(filepath.Join(k.folder, runStdout), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	stderr, err := os.OpenFile(filepath.Join(k.folder, runStderr), os.O_WRONLY|os.O_APPEND, 0)
	switch {
	case err == nil:
		cmd.Stderr = stderr
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	return cmd, nil
}

// heardAfter is how long Terraform may take to say that it was interrupted.
const heardAfter = 2 * time.Second

// interrupt passes signals on to Terraform, as one interrupt: it takes a second one as the
// order to drop what it is doing. That is given by whoever asks this process itself, by
// SIGINT or SIGTERM, for the second time. SIGHUP says that somebody has asked the front,
// which may be Atmos, and the action besides.
//
// What a component calls its Terraform may be a script. Some pass an interrupt on and some
// do not, so the others of its group get it only when Terraform does not say that it has.
// The result is whether they are still to get it.
func (k keeper) interrupt(group int, signals <-chan os.Signal, ended <-chan struct{}) (unspread bool) {
	interrupted, asked := false, 0
	var unheard <-chan time.Time
	for {
		select {
		case <-ended:
			return unheard != nil && !k.heard()
		case <-unheard:
			if unheard = nil; !k.heard() {
				signalOthers(group)
			}
		case s := <-signals:
			if s != syscall.SIGHUP {
				asked++
			}
			switch {
			case !interrupted:
				_ = syscall.Kill(group, syscall.SIGINT) // what has just ended needs none
				interrupted, unheard = true, time.After(heardAfter)
			case asked > 1 && s != syscall.SIGHUP:
				_ = syscall.Kill(-group, syscall.SIGINT)
			}
		}
	}
}

// heard reports whether Terraform says that it was interrupted, as both programs do.
func (k keeper) heard() bool {
	text, err := os.ReadFile(filepath.Join(k.folder, runStdout))
	return err == nil && bytes.Contains(text, []byte("Interrupt received"))
}

// signalOthers interrupts a process group but for its leader.
func signalOthers(group int) {
	for _, pid := range groupMembers(group) {
		if pid != group {
			_ = syscall.Kill(pid, syscall.SIGINT)
		}
	}
}

// ignoringErrors goes on where nobody reads any more.
type ignoringErrors struct{ to io.Writer }

func (w *ignoringErrors) Write(b []byte) (int, error) {
	if w.to != nil {
		if _, err := w.to.Write(b); err != nil {
			w.to = nil
		}
	}
	return len(b), nil
}

func sameFile(a, b *os.File) bool {
	first, err := a.Stat()
	if err != nil {
		return false
	}
	second, err := b.Stat()
	return err == nil && os.SameFile(first, second)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// writeWhole writes a file that others find whole, or not at all.
func writeWhole(path string, content []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, content, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// lookPath finds a program by its name in folders, or by its path.
func lookPath(name string, folders []string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return name, nil
	}
	for _, folder := range folders {
		path := filepath.Join(cmp.Or(folder, "."), name)
		if !filepath.IsAbs(path) {
			continue // as exec.LookPath does, which Atmos uses
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not on PATH", name)
}
