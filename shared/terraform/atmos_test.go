package terraform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

func TestTextOfAtmosIsMadeForPeople(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"the end of a plan with changes", "made\n\n# Error \n \nsubcommand exited with code 2 \n\n\n", "made\n\n"},
		{"an error of Atmos", "made\n\n# Error \n \nno identity deployer \n\n\n", "made\n\nError: no identity deployer\n\n\n"},
		{"an error of another kind", "# Workflow Error \n \nno such step \n", "Error: no such step\n"},
		{
			"an error of the init, for a terminal",
			"\x1b[31m╷\x1b[0m\x1b[0m\n\x1b[31m│\x1b[0m \x1b[0m\x1b[1m\x1b[31mError: \x1b[0m\x1b[0m\x1b[1mFailed\x1b[0m\n" +
				"\x1b[31m│\x1b[0m \x1b[0m\n\x1b[31m│\x1b[0m \x1b[0m\x1b[0mno host\n\x1b[31m╵\x1b[0m\x1b[0m\n\n# Error \n \nsubcommand exited with code 1 \n\n\n",
			"Error: Failed\n\nno host\n\n",
		},
		{"what follows such an end", "# Error \n \nsubcommand exited with code 2 \n\n\nhook\n\nhook\n", "hook\n\nhook\n"},
		{"such words of somebody else", "# A title\n\nsubcommand exited with code 2 \n", "# A title\n\nsubcommand exited with code 2 \n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			transcript := &transcript{log: &log, atmos: &atmosText{}}
			for line := range strings.Lines(test.in) {
				transcript.line([]byte(strings.TrimSuffix(line, "\n")), 0)
			}
			if diff := cmp.Diff(test.want, log.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Atmos may end at an interrupt in good order, and still before Terraform.
func TestInterruptedAtmosIsNotTheEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	atmos := filepath.Join(dir, "atmos")
	const script = `#!/bin/sh
trap 'exit 1' INT
(trap '' INT; touch begun; sleep 0.5; touch ended) &
wait
`
	if err := executable.Write(atmos, script); err != nil {
		t.Fatal(err)
	}
	c := &CLI{Path: "terraform", Dir: dir, Env: os.Environ(), Atmos: &Atmos{Path: atmos, Dir: dir, Component: "network", Stack: "dev"}}
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !exists("begun") {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := c.Init(ctx, InitOptions{}); !errors.Is(err, ErrInterrupted) {
		t.Errorf("error %v", err)
	}
	if !exists("ended") {
		t.Error("what it left is not waited for")
	}
}
