// Package git asks Git about a checkout, and has it fetch a commit. Everything that runs
// Git is here, so that each call is protected in the same way:
//
//   - It is about the repository in the folder that is given, whatever GIT_DIR and the
//     like say in the environment, and about its commits as they are (no replace refs).
//   - It runs none of the programs that a repository can name: hooks, a file system
//     monitor, an external diff.
//   - It answers with the same words on every machine. Only the repository's own
//     configuration is read, unless a command says that it needs the machine's, too: for
//     filters such as that of Git LFS, and to reach a remote repository.
//   - It asks nobody for a password, and takes no lock that another Git may want.
//   - It leaves no process behind that packs the repository in the background.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// command is one run of Git.
type command struct {
	folder string
	args   []string
	input  []byte
	// machine is the environment (NAME=value) of a command that reads the configuration of
	// the user and of the system, too. nil: it reads the repository's alone.
	machine []string
}

// options come before the name of each command. In a container job the checkout often
// belongs to another user, and Git would refuse it. The runner gave us the folder, so it is
// safe.
// https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory
// What is fetched stays one file, also if it is little.
var options = []string{
	"-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "maintenance.auto=false", "-c", "fetch.unpackLimit=1",
}

// always is in the environment of each command.
var always = []string{"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1"}

// run returns what Git prints. When it fails, the error has what it says, on one line.
func (c command) run(ctx context.Context) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", slices.Concat(options, c.args)...)
	cmd.Dir, cmd.Env = c.folder, c.environ()
	cmd.Stdin = bytes.NewReader(c.input)
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err == nil {
		return out, nil
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && len(exit.Stderr) > 0 {
		const most = 1000 // bytes: a fetch may fail with several lines
		said := strings.Join(strings.Fields(string(exit.Stderr)), " ")
		return nil, fmt.Errorf("git %s: %w: %s", c.args[0], err, strings.ToValidUTF8(said[:min(len(said), most)], ""))
	}
	return nil, fmt.Errorf("git %s: %w", c.args[0], err)
}

func (c command) environ() []string {
	if c.machine == nil {
		return append(slices.Clone(always), "PATH="+os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1")
	}
	// GIT_DIR and the like are of another repository.
	rest := slices.DeleteFunc(slices.Clone(c.machine), func(entry string) bool {
		return strings.HasPrefix(entry, "GIT_") && !strings.HasPrefix(entry, "GIT_CONFIG_")
	})
	return append(rest, always...) // of two values of one name the last one counts
}

// exitedWith tells whether Git ended with a status.
func exitedWith(err error, status int) bool {
	exit := (*exec.ExitError)(nil)
	return errors.As(err, &exit) && exit.ExitCode() == status
}

// configuration is what of an environment says which configuration Git reads, and where
// the programs are that it names. It has no secrets for these programs to see.
func configuration(environ []string) []string {
	some := []string{} // not nil
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if slices.Contains([]string{"PATH", "HOME", "XDG_CONFIG_HOME"}, name) || strings.HasPrefix(name, "GIT_CONFIG_") {
			some = append(some, entry)
		}
	}
	return some
}
