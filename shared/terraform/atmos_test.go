package terraform

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

func TestAGroupIsWaitedForWhileSomethingOfItRuns(t *testing.T) {
	t.Parallel()
	ended := filepath.Join(t.TempDir(), "ended")
	cmd := exec.Command("sh", "-c", `(sleep 0.5; touch "$0") & exit`, ended) // as Atmos, and the Terraform that it leaves
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	waitForGroup(cmd.Process.Pid)
	if _, err := os.Stat(ended); err != nil {
		t.Errorf("it was not waited for: %v", err)
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
	if err := os.WriteFile(atmos, []byte(script), 0o700); err != nil {
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
	if err := c.Init(ctx, InitOptions{}); !errors.Is(err, ErrInterrupted) {
		t.Errorf("error %v", err)
	}
	if !exists("ended") {
		t.Error("what it left is not waited for")
	}
}

// In a container the first process may be one that does not ask for the end of
// others, so that they stay.
func TestWhatHasEndedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		waitForGroup(cmd.Process.Pid)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Minute):
		t.Error("it is waited for")
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	<-ended
}
