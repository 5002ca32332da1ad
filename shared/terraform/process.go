package terraform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/keeper"
)

// command prepares a command in a process group of its own; see the package
// comment. It is not bound to a context: interrupting is run's task.
func (c *CLI) command(workspace string, args []string) *exec.Cmd {
	cmd := exec.Command(c.Path, args...) //nolint:noctx // run and ShowJSON end it, each in its own way
	cmd.Dir = c.RunDir()
	cmd.Env = c.environ(workspace)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// run runs a command to its end and feeds its output to t. It returns the exit
// code when that is one of the accepted, else a *CommandError.
func (c *CLI) run(ctx context.Context, workspace string, args []string, t *transcript, accepted ...int) (int, error) {
	if ctx.Err() != nil {
		return -1, c.failure(args, -1, interruption(ctx), t)
	}
	output, input, err := logFile()
	if err != nil {
		return -1, problem.With(problem.Terraform, fmt.Errorf("%s cannot be started: no file for its log: %w", c.name(args), err))
	}
	defer func() { _ = output.Close() }()

	cmd := c.command(workspace, args)
	var kept keeper.Runs
	if c.Atmos != nil {
		c.Atmos.wrap(cmd, args)
		if kept, err = c.Atmos.keep(cmd, c.Path, args, c.InitEnv); err != nil {
			_ = input.Close()
			return -1, err
		}
		defer kept.Remove()
	}
	cmd.Stdout, cmd.Stderr = input, input
	err = cmd.Start()
	_ = input.Close() // Terraform has its own copy
	if err != nil {
		return -1, problem.With(problem.Terraform, fmt.Errorf("%s cannot be started: %w", c.name(args), err))
	}

	var waitErr error
	outlived := false
	exited, relayed := make(chan struct{}), make(chan bool, 1)
	go func() {
		waitErr = cmd.Wait()
		if c.Atmos != nil {
			outlived = kept.Wait()
			if ctx.Err() != nil || !cmd.ProcessState.Exited() {
				keeper.WaitForGroup(cmd.Process.Pid)
			}
		}
		close(exited)
	}()
	process := running{cmd.Process, nil, args}
	if c.Atmos != nil {
		process.kept = &kept
	}
	go func() { relayed <- c.relay(ctx, process, exited) }()

	lines := lineSplitter{emit: t.line}
	err = keeper.Follow(output, exited, &lines)
	<-exited
	interrupted := <-relayed
	code := cmd.ProcessState.ExitCode()
	end := ending{code: code, outlived: outlived}
	if c.Atmos != nil {
		end = endOfAtmos(kept, args, end)
		if dir := end.run.Dir; end.known && dir != "" && !sameFolder(dir, c.Dir) {
			c.Atmos.Workdir = dir
		}
	}
	if end.cut() {
		// What Atmos has passed on may end in the middle of a line.
		lines.drop()
		err = errors.Join(err, rest(end.run, t.messages, t.line))
	}
	lines.flush()
	if err != nil {
		// How Terraform ended is known, but not all that it said.
		return end.code, fmt.Errorf("%s: its log cannot be read: %w", c.name(args), err)
	}

	if slices.Contains(accepted, end.code) {
		return end.code, c.afterTerraform(args, end, t)
	}
	var exit *exec.ExitError
	switch {
	case interrupted:
		return end.code, c.failure(args, end.code, interruption(ctx), t)
	case waitErr != nil && !errors.As(waitErr, &exit):
		return end.code, c.failure(args, end.code, waitErr, t)
	}
	return end.code, c.failure(args, end.code, nil, t)
}

func sameFolder(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// running is a command that runs.
type running struct {
	*os.Process
	kept *keeper.Runs // nil without Atmos
	args []string
}

// interrupt asks the command to stop. Terraform stops its providers by itself. If Atmos has
// started a Terraform that runs, only that is interrupted: Atmos ends with it, and passes its
// output on until then. Otherwise Atmos and all that it has started get the interrupt, as
// from a terminal.
func (r running) interrupt() error {
	if r.kept == nil {
		return r.Signal(os.Interrupt)
	}
	if r.kept.Stop() {
		return nil
	}
	return syscall.Kill(-r.Pid, syscall.SIGINT)
}

// kill kills the command and all that it has started.
func (r running) kill() {
	if r.kept != nil {
		r.kept.Kill()
	}
	_ = syscall.Kill(-r.Pid, syscall.SIGKILL)
}

// overdue reports whether only Atmos still runs: its Terraform has ended, so nothing is lost
// if Atmos is killed.
func (r running) overdue() bool {
	if r.kept == nil {
		return false
	}
	main, found := r.kept.Main(r.args)
	return found && !main.Alive()
}

// atmosGrace is how long Atmos may run on after the Terraform that was interrupted has
// ended. It has files to remove, but the runner kills the job soon.
const atmosGrace = 10 * time.Second

// relay passes the end of ctx, and what Signals asks for after it, on to a
// process until that has exited, and reports whether it did. Interrupts go to
// Terraform alone, which stops its providers by itself; SIGKILL goes to all.
func (c *CLI) relay(ctx context.Context, process running, exited <-chan struct{}) bool {
	select {
	case <-exited:
		return false
	case <-ctx.Done():
	}
	if process.interrupt() != nil {
		return false // it has just exited by itself
	}
	signals := c.Signals
	var overdue time.Time
	tick := time.NewTicker(keeper.PollInterval)
	defer tick.Stop()
	for asked := 1; ; {
		select {
		case <-exited:
			return true
		case now := <-tick.C:
			switch {
			case !process.overdue():
				continue
			case overdue.IsZero():
				overdue = now.Add(atmosGrace)
			case now.After(overdue):
				process.kill()
			}
		case _, open := <-signals:
			switch {
			case !open:
				signals = nil
			case asked == 1:
				_ = process.interrupt()
			default:
				process.kill()
			}
			asked++
		}
	}
}

// logFile makes the file that a command's output goes to, open for reading and
// for appending, and already unlinked: it is gone when both ends are.
func logFile() (r, w *os.File, err error) {
	r, err = os.CreateTemp("", "terraform-*.log") // mode 0600
	if err != nil {
		return nil, nil, err
	}
	w, err = os.OpenFile(r.Name(), os.O_WRONLY|os.O_APPEND, 0)
	if rmErr := os.Remove(r.Name()); err == nil && rmErr != nil {
		_ = w.Close()
		err = rmErr
	}
	if err != nil {
		_ = r.Close()
		return nil, nil, err
	}
	return r, w, nil
}
