package terraform

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// ShowJSON runs `show -json` on a planfile and streams its output to read: a large plan is
// not held in memory. If read fails, Terraform is stopped and read's error is returned. A
// failure of Terraform is a *CommandError, also if read has returned no error.
func (c *CLI) ShowJSON(ctx context.Context, planfile string, read func(io.Reader) error) error {
	return c.output(ctx, []string{"show", "-json", "-no-color", planfile}, read)
}

// output runs a command that changes nothing and holds no lock, and streams the JSON
// document that it prints to read.
func (c *CLI) output(ctx context.Context, args []string, read func(io.Reader) error) error {
	t := &transcript{} // no log: the output holds secret values
	if ctx.Err() != nil {
		return c.failure(args, -1, interruption(ctx), t)
	}
	// A pipe, unlike in run: this command may be killed, and may die with us.
	cmd := c.command(c.Workspace, args)
	lines := lineSplitter{emit: t.line}
	cmd.Stderr = &lines
	output, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("%s cannot be started: %w", c.name(args), err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s cannot be started: %w", c.name(args), err)
	}
	kill := func() { _ = cmd.Process.Kill() }
	stop := context.AfterFunc(ctx, kill)
	defer stop()

	readErr := read(&document{from: bufio.NewReader(output)})
	if readErr != nil {
		kill()
	}
	_, _ = io.Copy(io.Discard, output) // so that it does not block before its end
	waitErr := cmd.Wait()
	lines.flush()

	switch {
	case ctx.Err() != nil && (readErr != nil || waitErr != nil):
		return c.failure(args, cmd.ProcessState.ExitCode(), interruption(ctx), t)
	case waitErr != nil && cmd.ProcessState.ExitCode() > 0:
		// Terraform's error says more than that of a reader whose document was cut short.
		return errors.Join(c.failure(args, cmd.ProcessState.ExitCode(), nil, t), readErr)
	case readErr != nil:
		return fmt.Errorf("%s: its output cannot be read: %w", c.name(args), readErr)
	case waitErr != nil:
		return c.failure(args, cmd.ProcessState.ExitCode(), nil, t)
	}
	return nil
}

// document skips what a program prints before its JSON document. OpenTofu prints warnings
// there, such as that TF_CLI_CONFIG_FILE names a file that does not exist.
type document struct {
	from  *bufio.Reader
	begun bool
}

func (d *document) Read(b []byte) (int, error) {
	for !d.begun {
		first, err := d.from.Peek(1)
		switch {
		case err != nil:
			return 0, err
		case first[0] == '{':
			d.begun = true
		default:
			if err := skipLine(d.from); err != nil {
				return 0, err
			}
		}
	}
	return d.from.Read(b)
}

func skipLine(r *bufio.Reader) error {
	for {
		_, more, err := r.ReadLine()
		if err != nil || !more {
			return err
		}
	}
}
