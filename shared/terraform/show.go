package terraform

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// ShowJSON runs `show -json` on a planfile and hands its output to read as it is
// produced: nothing of it is held here. When read fails, Terraform is stopped and
// read's error returned; else a failure of Terraform is a *CommandError, also
// when read was content with what it saw.
func (c *CLI) ShowJSON(ctx context.Context, planfile string, read func(io.Reader) error) error {
	return c.output(ctx, []string{"show", "-json", "-no-color", planfile}, read)
}

// output runs a command that changes nothing and holds no lock, and hands the JSON document
// that it prints to read as it is produced.
func (c *CLI) output(ctx context.Context, args []string, read func(io.Reader) error) error {
	t := &transcript{} // its log is values, secret ones included
	if ctx.Err() != nil {
		return c.failure(args, -1, interruption(ctx), t)
	}
	// A pipe is right here: the command may be killed, and may die with us.
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
		// A reader that met a document cut short tells less than Terraform does.
		return errors.Join(c.failure(args, cmd.ProcessState.ExitCode(), nil, t), readErr)
	case readErr != nil:
		return fmt.Errorf("%s: its output cannot be read: %w", c.name(args), readErr)
	case waitErr != nil:
		return c.failure(args, cmd.ProcessState.ExitCode(), nil, t)
	}
	return nil
}

// document is what a program printed from its JSON document on: OpenTofu prints its
// warnings before it, such as that TF_CLI_CONFIG_FILE names no file.
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
