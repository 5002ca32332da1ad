// Package gha is the GitHub Actions runtime as an action sees it: typed
// inputs, outputs, the job summary, annotations, log groups, masks, the event
// payload and the ID token.
//
// A [Runtime] is made from an environment and a writer, so a test makes its own. Nothing here
// reads the process' environment, and no state is outside of a Runtime.
//
// The runner reads what an action prints, and executes any line that looks like a command:
// `::name key=value::data` at the start of a line, and `##[name]data` anywhere in it. So text
// from outside (names, Terraform's log, error texts) is written in three ways only, in which
// it cannot become a command:
//
//   - as the escaped data of a command ([Runtime.Error], [Runtime.Warning],
//     [Runtime.Notice]);
//   - as lines of a group, in which the runner ignores commands ([Runtime.Group]);
//   - in a file, between random delimiters ([Runtime.SetOutput]).
//
// # actions-go/toolkit
//
// The package uses the names of the runner's variables from github.com/actions-go/toolkit,
// and reads inputs as it does (a test compares them). It does the rest itself, because the
// toolkit
//
//   - works on the process' environment and on a global writer;
//   - writes outputs with a fixed delimiter, so a value that contains it can add outputs,
//     and falls back to the removed ::set-output command;
//   - escapes ":" and "," in a command's data, which the runner does not decode: messages
//     show %3A, and a mask for such a value masks nothing;
//   - gets an ID token without context, timeout or retry;
//   - reads a boolean input with a typing error as false.
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
	random func() string // a new string that nobody can guess
	client *http.Client
	wait   func(context.Context, time.Duration) error

	mu       sync.Mutex // guards everything below, the writer and the file commands
	stdout   io.Writer
	live     *group // the group whose lines are shown at once, or nil
	waiting  []*group
	spool    spool  // lines of waiting groups
	section  *group // the group whose section is open in the log, or nil
	resume   string // while section is set: the token that ends ::stop-commands::
	secrets  map[string]bool
	patterns *patterns
}

// New makes the runtime of a step with the environment environ, as os.Environ returns it, and
// the standard output stdout. Each line or command is one Write, so the lines of others that
// write to stdout are not broken.
//
// The runner's credentials in environ are redacted from the start.
func New(environ []string, stdout io.Writer) *Runtime {
	r := &Runtime{
		env:    make(map[string]string, len(environ)),
		random: rand.Text,
		// The token endpoint does not redirect. If it did, the request's bearer token would
		// be sent somewhere else.
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
		if _, ok := r.env[name]; !ok { // the first one counts, as for os.Getenv
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
