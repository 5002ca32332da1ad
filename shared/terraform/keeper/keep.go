// Package keeper has Terraform outlive the Atmos that starts it.
//
// Atmos reads Terraform's output through a pipe. If Atmos dies, Terraform is killed (SIGPIPE)
// when it writes its next line, in the middle of an apply. So Atmos starts this program in
// Terraform's place ([Prepare] says how), and this program starts itself once more:
//
//	Atmos ── front ── keeper ── Terraform ── providers
//
// The front is what Atmos takes for Terraform. It passes on the output, the first signal and
// the exit status, and may die at any time.
//
// The keeper starts Terraform in a session of its own with files for output, waits for it, and
// writes how it ended into a folder that the action reads ([Runs]). That is the truth, whatever
// happened to Atmos. The keeper leads a process group that Atmos does not know. It stays in the
// session of the action, so that the launcher finds it if it outlives the action.
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

// A program that is started with one of these variables is a front or a keeper.
const (
	keptVariable   = "GITOPS_KEPT"   // front: the folder of all Terraforms that one Atmos starts
	keeperVariable = "GITOPS_KEEPER" // keeper: the folder of its Terraform
)

// Files in the folder of all Terraforms that one Atmos starts.
const (
	keptConfig = "config.json" // keptProgram
	keptStop   = "stop"        // if it exists, no Terraform is started any more
	keptRuns   = "runs"        // a folder for each Terraform
)

// Files in the folder of one Terraform.
const (
	runStarted = "started.json" // startedRun, once the keeper listens to signals
	runLeader  = "leader"       // the ID of Terraform's process and process group
	runStdout  = "stdout"
	runStderr  = "stderr" // does not exist if stderr goes to the same file as stdout
	runStatus  = "status" // Terraform's exit status, once it has ended
	runAlive   = "alive"  // locked while the keeper lives
)

// keptProgram says what is started in place of the program that Atmos starts.
type keptProgram struct {
	Name    string   // Terraform's name, looked up on PATH as Atmos would; or its path
	Shim    string   // the folder on PATH with what Atmos starts; Terraform does not get it
	Command *string  // the user's value of commandVariable, if any
	Main    []string // the arguments that Atmos was given for Terraform
	InitEnv []string // added to the environment of each init
}

// isMain tells the Terraform that Atmos was started for, which has all of the arguments that
// Atmos was given, from those for the workspace and those of hooks.
func isMain(main, args []string) bool {
	return len(args) > 0 && len(main) > 0 && args[0] == main[0] && !slices.ContainsFunc(main, func(arg string) bool { return !slices.Contains(args, arg) })
}

// startedRun says what a keeper has started.
type startedRun struct {
	Keeper int // process
	Args   []string
	Dir    string // where Terraform runs; empty if that is unknown
}

// commandVariable overrides components.terraform.command of atmos.yaml. A command in a
// stack manifest overrides both.
const commandVariable = "ATMOS_COMPONENTS_TERRAFORM_COMMAND"

// notStarted is the exit status when Terraform could not be started, as a shell has it.
const notStarted = 127

// Keep is what the program at [Options.Keeper] calls first. If Atmos has started it in
// Terraform's place, Keep does that work and returns the exit status. Otherwise it returns
// false at once.
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

// front starts a keeper, and passes on Terraform's output and exit status.
func front(folder string, args, environ []string) (status int, err error) {
	// SIGPIPE, from writing to an Atmos that has died, must not end the keeper's parent.
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
		outputs = outputs[:1] // one file, so that lines stay in order
	}
	for i, name := range outputs {
		file, err := os.OpenFile(filepath.Join(run, name), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		if err != nil {
			return notStarted, err
		}
		to := &ignoringErrors{[]*os.File{os.Stdout, os.Stderr}[i]}
		all.Go(func() { _ = Follow(file, exited, to) })
	}
	cmd := exec.Command(self, args[1:]...) //nolint:noctx // the keeper is never killed
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
	_ = cmd.Wait() // Terraform's exit status is in a file
	close(exited)
	all.Wait()
	if text, err := os.ReadFile(filepath.Join(run, runStatus)); err == nil {
		if status, err := strconv.Atoi(string(text)); err == nil && status >= 0 {
			return forAtmos(folder, args[1:], status), nil
		}
	}
	return max(1, cmd.ProcessState.ExitCode()), nil
}

// hasChanges is the exit status of `plan -detailed-exitcode` if there are changes.
const hasChanges = 2

// forAtmos is the exit status that Atmos sees. To Atmos, a plan with changes would be a
// failure, after which it runs no hooks; the action reads the true status.
func forAtmos(folder string, args []string, status int) int {
	if program, err := readProgram(folder); err == nil && status == hasChanges && slices.Contains(args, "-detailed-exitcode") && isMain(program.Main, args) {
		return 0
	}
	return status
}

func readProgram(folder string) (program keptProgram, err error) {
	text, err := os.ReadFile(filepath.Join(folder, keptConfig))
	if err == nil {
		err = json.Unmarshal(text, &program)
	}
	return program, err
}

// keeper starts a Terraform and waits for it.
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
		return 1 // without a status the action takes Terraform for killed
	}
	return status
}

// say adds a line to Terraform's output, which the front passes on.
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
	defer func() { _ = alive.Close() }()                                    // so does the end of this process: Terraform does not inherit it
	if err := syscall.Flock(int(alive.Fd()), syscall.LOCK_EX); err != nil { //nolint:gosec // a descriptor is a small number
		return notStarted, err
	}
	dir, _ := os.Getwd()
	started, err := json.Marshal(startedRun{Keeper: os.Getpid(), Args: k.args, Dir: dir})
	if err == nil {
		err = writeWhole(filepath.Join(k.folder, runStarted), started)
	}
	if err != nil {
		return notStarted, err
	}
	// From now on Runs.Stop finds this run and interrupts it. It may have been called before.
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
	_ = writeWhole(filepath.Join(k.folder, runLeader), []byte(strconv.Itoa(group))) // without it Terraform can't be killed
	ended, unspread := make(chan struct{}), make(chan bool, 1)
	go func() { unspread <- k.interrupt(group, signals, ended) }()
	_ = cmd.Wait() // how it ended is in ProcessState
	close(ended)
	// If it was a script, its Terraform may still run.
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
	program, err := readProgram(above)
	if err != nil {
		return nil, err
	}
	environ := envlist.Without(k.environ, commandVariable)
	if program.Command != nil {
		environ = append(environ, commandVariable+"="+*program.Command)
	}
	// Without the shim: if a provisioner starts a Terraform, that needs no keeper.
	folders := slices.DeleteFunc(filepath.SplitList(envlist.Value(environ, "PATH")), func(folder string) bool { return folder == program.Shim })
	environ = append(envlist.Without(environ, "PATH"), "PATH="+strings.Join(folders, string(filepath.ListSeparator)))
	if len(k.args) > 0 && k.args[0] == "init" {
		environ = append(environ, program.InitEnv...)
	}
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

// heardAfter is how long Terraform may take to print that it was interrupted.
const heardAfter = 2 * time.Second

// interrupt passes signals on to Terraform, as one interrupt: at a second one, Terraform
// drops what it is doing. Terraform gets a second interrupt only if this process gets SIGINT
// or SIGTERM for the second time. The front sends SIGHUP, since Atmos and the action may both
// interrupt it for one reason.
//
// A component may call a script in place of Terraform. Some scripts pass an interrupt on and
// some do not, so the other processes of its group get it only if Terraform does not print
// that it was interrupted. The result is whether they still need it.
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
				_ = syscall.Kill(group, syscall.SIGINT) // it may have ended just now
				interrupted, unheard = true, time.After(heardAfter)
			case asked > 1 && s != syscall.SIGHUP:
				_ = syscall.Kill(-group, syscall.SIGINT)
			}
		}
	}
}

// heard reports whether Terraform or OpenTofu has printed that it was interrupted.
func (k keeper) heard() bool {
	text, err := os.ReadFile(filepath.Join(k.folder, runStdout))
	return err == nil && bytes.Contains(text, []byte("Interrupt received"))
}

// signalOthers interrupts all of a process group except its leader.
func signalOthers(group int) {
	for _, pid := range groupMembers(group) {
		if pid != group {
			_ = syscall.Kill(pid, syscall.SIGINT)
		}
	}
}

// ignoringErrors is a writer that goes on when nobody reads any more.
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

// writeWhole writes a file so that others see all of it or nothing.
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
