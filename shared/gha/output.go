package gha

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/actions-go/toolkit/core"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// outputLimit is the size of the largest output that other jobs can read:
// "Outputs are Unicode strings, and can be a maximum of 1 MB",
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs.
const outputLimit = 1 << 20

// summaryLimit is the size in bytes of the largest step summary that the runner uploads
// (AttachmentSizeLimit in FileCommandManager.cs). It drops a larger one completely.
const summaryLimit = 1 << 20

// outputName is what action.yml allows as the name of an output.
var outputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// SetOutput sets an output of the step. The value may be any text of at most
// 1 MiB; secrets in it are redacted.
func (r *Runtime) SetOutput(name, value string) error {
	if !outputName.MatchString(name) {
		return fmt.Errorf("set output %s: not a name that an output can have", quote(name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	value = r.redacted(value)
	if len(value) > outputLimit {
		return fmt.Errorf("set output `%s`: %d bytes are more than GitHub's limit of %d", name, len(value), outputLimit)
	}
	// The runner ends the value at the first line that equals the delimiter, so the value
	// must not contain it.
	delimiter := "ghadelimiter_" + r.random()
	for strings.Contains(value, delimiter) {
		delimiter = "ghadelimiter_" + r.random()
	}
	entry := name + "<<" + delimiter + "\n" + value + "\n" + delimiter + "\n"
	if err := r.appendTo(core.GitHubOutputFilePathEnvName, entry, 0); err != nil {
		return problem.With(problem.Runner, fmt.Errorf("set output `%s`: %w", name, err))
	}
	return nil
}

// AddSummary appends Markdown to the step's summary, with secrets redacted. End the text with
// a newline if more may follow. GitHub drops a summary of more than 1 MiB, so a text that
// would make it larger is refused, and nothing is written.
//
// A secret that Markdown escaping has changed is not recognised: see [Runtime.Redacted].
func (r *Runtime) AddSummary(markdown string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.appendTo(core.GitHubSummaryPathEnvName, r.redacted(markdown), summaryLimit); err != nil {
		return problem.With(problem.Runner, fmt.Errorf("write the job summary: %w", err))
	}
	return nil
}

// appendTo appends text, with one write, to the file that variable names. The file may have
// up to limit bytes; 0 means no limit.
func (r *Runtime) appendTo(variable, text string, limit int64) (err error) {
	path := r.env[variable]
	if path == "" {
		return fmt.Errorf("%s is not set: run this as a step of a GitHub workflow, or set it to a file's path", variable)
	}
	// The runner makes the file before the step; without a runner it may be missing.
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	if limit > 0 {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if size := info.Size() + int64(len(text)); size > limit {
			return fmt.Errorf("it would have %d bytes, GitHub drops more than %d", size, limit)
		}
	}
	_, err = file.WriteString(text)
	return err
}
