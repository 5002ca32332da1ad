package terraform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// followInterval is how long a line may lie in the log file before it is read
// while Terraform runs. The end of the process is noticed at once.
const followInterval = 20 * time.Millisecond

// command prepares a command in a process group of its own; see the package
// comment. It is not bound to a context: interrupting is run's task.
func (c *CLI) command(workspace string, args []string) *exec.Cmd {
	cmd := exec.Command(c.Path, args...) //nolint:noctx // run and ShowJSON end it, each in its own way
	cmd.Dir = c.Dir
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
	if c.Atmos != nil {
		c.Atmos.wrap(cmd, args)
	}
	cmd.Stdout, cmd.Stderr = input, input
	err = cmd.Start()
	_ = input.Close() // Terraform has its own copy
	if err != nil {
		return -1, problem.With(problem.Terraform, fmt.Errorf("%s cannot be started: %w", c.name(args), err))
	}

	var waitErr error
	exited, relayed := make(chan struct{}), make(chan bool, 1)
	go func() {
		waitErr = cmd.Wait()
		if c.Atmos != nil && (ctx.Err() != nil || !cmd.ProcessState.Exited()) {
			waitForGroup(cmd.Process.Pid)
		}
		close(exited)
	}()
	go func() { relayed <- c.relay(ctx, cmd.Process, exited) }()

	lines := lineSplitter{emit: t.line}
	err = follow(output, exited, &lines)
	<-exited
	interrupted := <-relayed
	lines.flush()
	if err != nil {
		// Terraform's end is known, but not all it said.
		return cmd.ProcessState.ExitCode(), fmt.Errorf("%s: its log cannot be read: %w", c.name(args), err)
	}

	code := cmd.ProcessState.ExitCode()
	if slices.Contains(accepted, code) {
		return code, nil
	}
	var exit *exec.ExitError
	switch {
	case interrupted:
		return code, c.failure(args, code, interruption(ctx), t)
	case waitErr != nil && !errors.As(waitErr, &exit):
		return code, c.failure(args, code, waitErr, t)
	}
	return code, c.failure(args, code, nil, t)
}

// relay passes the end of ctx, and what Signals asks for after it, on to a
// process until that has exited, and reports whether it did. Interrupts go to
// Terraform alone, which stops its providers by itself; SIGKILL goes to all.
func (c *CLI) relay(ctx context.Context, process *os.Process, exited <-chan struct{}) bool {
	select {
	case <-exited:
		return false
	case <-ctx.Done():
	}
	if c.interrupt(process) != nil {
		return false // it has just exited by itself
	}
	signals := c.Signals
	for asked := 1; ; asked++ {
		select {
		case <-exited:
			return true
		case _, open := <-signals:
			switch {
			case !open:
				signals = nil
			case asked == 1:
				_ = c.interrupt(process)
			default:
				_ = syscall.Kill(-process.Pid, syscall.SIGKILL)
			}
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

// follow copies what is appended to f until the process has exited, and then the
// rest. Writes of processes that outlive it, such as one that a local-exec left
// in the background, are not waited for.
func follow(f *os.File, exited <-chan struct{}, w io.Writer) error {
	buf := make([]byte, 64<<10)
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	var read int64
	for {
		n, err := f.Read(buf)
		read += int64(n)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		select {
		case <-tick.C:
		case <-exited:
			end, err := f.Stat()
			if err != nil {
				return err
			}
			_, err = io.CopyBuffer(w, io.LimitReader(f, end.Size()-read), buf)
			return err
		}
	}
}
