// Package gha is the GitHub Actions runtime as an action sees it: typed
// inputs, outputs, the job summary, annotations, log groups, masks, the event
// payload and the ID token.
//
// Everything hangs on one [Runtime], made from an environment and a writer, so
// that a test makes its own and nothing here reads the process's environment
// or keeps state between two runtimes.
//
// What an action prints is read by a program, the runner, that takes any line
// for a command that looks like one: `::name key=value::data` at the start of a
// line and `##[name]data` anywhere in it. Text from outside (names, Terraform's
// log, error texts) therefore leaves this package in three ways only, each of
// which it cannot escape from: as an escaped command ([Runtime.Error],
// [Runtime.Warning], [Runtime.Notice]), as lines of a group in which commands
// are stopped ([Runtime.Group]), or in a file command behind a random delimiter
// ([Runtime.SetOutput]).
//
// # actions-go/toolkit
//
// The package follows github.com/actions-go/toolkit and takes from it what is
// sound: the names of the runner's variables, and the meaning of an input
// (a test compares the two). These it does itself, because the toolkit
//
//   - works on the process's environment and a package-wide writer;
//   - writes outputs behind a fixed delimiter, so a value that contains it adds
//     outputs, and falls back to the retired ::set-output command on stdout;
//   - escapes ":" and "," in a command's data, which the runner does not undo
//     there: messages show %3A, and a mask of such a value masks nothing;
//   - reads an ID token without context, timeout or retry;
//   - takes a boolean input with a typing error for false.
//
// The runner's side is described in
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
// and decided by its source, github.com/actions/runner: ActionCommand.cs and
// ActionCommandManager.cs (commands), FileCommandManager.cs (outputs, summary).
package gha

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/actions-go/toolkit/core"
	"github.com/terraform-gitops/gitops/shared/retry"
)

// Runtime is the Actions runtime of one step. Its methods may be called from
// several goroutines at once.
type Runtime struct {
	env map[string]string

	// Replaced by tests of this package.
	random func() string // a fresh string that nobody can guess
	client *http.Client
	wait   func(context.Context, time.Duration) error

	mu       sync.Mutex // guards all below, the writer and the file commands
	stdout   io.Writer
	live     *group // the group whose lines are shown as they come, or nil
	waiting  []*group
	spool    spool  // of those that wait
	section  *group // the group that the log's last line is in, or nil
	resume   string // what makes the runner take commands again, while section is set
	secrets  map[string]bool
	patterns *patterns
}

// New makes the runtime of a step whose environment is environ, as os.Environ
// gives it, and whose standard output is stdout. Each line and command is
// written with one call, so what else writes whole lines to stdout stays whole.
//
// The credentials that the runner put into environ are redacted from the start.
func New(environ []string, stdout io.Writer) *Runtime {
	r := &Runtime{
		env:    make(map[string]string, len(environ)),
		random: rand.Text,
		// The token endpoint answers directly; a redirect would carry the
		// request's bearer token somewhere else.
		client: &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		wait:     retry.Sleep,
		stdout:   stdout,
		secrets:  map[string]bool{},
		patterns: newPatterns(nil),
	}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if _, ok := r.env[name]; !ok { // as os.Getenv: the first one counts
			r.env[name] = value
		}
	}
	r.spool.dir = r.env["RUNNER_TEMP"]
	r.Redact(
		r.env[core.ActionsIDTokenRequestTokenEnvName],
		r.env["ACTIONS_RUNTIME_TOKEN"],
		r.env["GITHUB_TOKEN"],
		r.Input("token"),
		r.env["AWS_SECRET_ACCESS_KEY"],
		r.env["AWS_SESSION_TOKEN"],
	)
	r.Redact(namedSecrets(r.env)...)
	return r
}
