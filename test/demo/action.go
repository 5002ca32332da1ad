package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/planstore"
)

// ran is one run of an action.
type ran struct {
	action  string
	id      int // the workflow run's
	outputs map[string]string
	summary string
	log     string
	failed  bool
	touched bool   // the action has changed a state
	code    string // the code of the error, if it refused
}

// act runs an action's binary as a step of a new workflow run. Without a pull request, the
// event is the runner's.
func (d *demo) act(ctx context.Context, action string, pr *pullRequest, inputs map[string]string) (ran, error) {
	d.runner.RunID++
	if pr != nil {
		if err := d.event(pr); err != nil {
			return ran{}, err
		}
	}
	return d.job(ctx, action, inputs)
}

// job runs an action's binary as a step of the same workflow run.
func (d *demo) job(ctx context.Context, action string, inputs map[string]string) (r ran, err error) {
	r = ran{action: action, id: d.runner.RunID}
	before, err := d.states()
	if err != nil {
		return r, err
	}
	step, err := d.runner.Step(inputs)
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(d.actions, action))
	cmd.Env = step.Environ
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if r.failed = err != nil; r.failed && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return r, fmt.Errorf("%s: %w\n%s", action, err, out)
	}
	r.log = string(out)
	if err := os.WriteFile(filepath.Join(d.dir, fmt.Sprintf("log-%d-%s.txt", r.id, action)), out, 0o600); err != nil {
		return r, err
	}
	if r.summary, err = step.Summary(); err != nil {
		return r, err
	}
	if r.outputs, err = step.Outputs(); err != nil {
		return r, err
	}
	after, err := d.states()
	r.touched = before != after
	d.page.summary(r)
	d.screen.summary(action, inputs, r.summary)
	return r, err
}

// codes matches the codes of errors in a log.
var codes = regexp.MustCompile(`\[(GITOPS-[A-Z-]+)\]`)

// mustBeRefused returns an error unless the action refused with exactly this code, printed these
// words, and changed nothing.
func (r ran) mustBeRefused(words []string) error {
	var found []string
	for _, m := range codes.FindAllStringSubmatch(r.log, -1) {
		if !slices.Contains(found, m[1]) {
			found = append(found, m[1])
		}
	}
	switch {
	case !r.failed || r.outputs["status"] != "failed":
		return r.unexpected("it was not refused")
	case r.touched:
		return r.unexpected("the state has changed")
	case len(found) != 1 || found[0] != r.code:
		return r.unexpected(fmt.Sprintf("it was refused with %q, not %s", found, r.code))
	case !strings.Contains(r.summary, r.code):
		return r.unexpected("the summary does not have the code " + r.code)
	}
	for _, word := range words {
		if !strings.Contains(r.log+r.summary, word) {
			return r.unexpected("it does not name " + word)
		}
	}
	return nil
}

func (r ran) out(what ...string) outcome {
	return outcome{What: what[:1], Right: []string{r.code}, Details: what[1:]}
}

// unexpected returns an error about what the action did, with its log.
func (r ran) unexpected(what string) error {
	return fmt.Errorf("%s, run %d: %s\nIts log:\n%s", r.action, r.id, what, r.log)
}

// states returns a digest over the states of everything that is deployed.
func (d *demo) states() (string, error) {
	hash := sha256.New()
	err := filepath.WalkDir(filepath.Join(d.dir, "state"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".tfstate") {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(hash, "%s %d\n%s", path, len(content), content)
		return err
	})
	return fmt.Sprintf("%x", hash.Sum(nil)), err
}

func (d *demo) state(t planstore.Target) string {
	return filepath.Join(d.dir, "state", t.Stack, t.Component+".tfstate")
}

// stateHas returns an error unless the target's state has the first text and not the second.
func (d *demo) stateHas(t planstore.Target, text, not string) error {
	content, err := os.ReadFile(d.state(t))
	if err != nil {
		return err
	}
	if !strings.Contains(string(content), text) || not != "" && strings.Contains(string(content), not) {
		return fmt.Errorf("the state of %s does not say %s", name(t), text)
	}
	return nil
}

// tamper changes one byte in the middle of a stored planfile, and returns its SHA-256.
func (d *demo) tamper(plan planstore.Record) (digest string, err error) {
	err = filepath.WalkDir(filepath.Join(d.dir, "store"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Base(path) != plan.Digest+".tfplan" {
			return err
		}
		planfile, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		planfile[len(planfile)/2] ^= 1
		digest = fmt.Sprintf("%x", sha256.Sum256(planfile))
		return os.WriteFile(path, planfile, 0o600)
	})
	if err == nil && digest == "" {
		err = fmt.Errorf("planfile %s is not in the plan store", plan.Digest)
	}
	return digest, err
}

// change finds the lines of a summary's diffs in which an attribute changes from one value to another.
// There may be one line or two. It returns nil if there are none.
func change(summary, from, to string) []string {
	holds := func(line, value string) bool {
		return regexp.MustCompile(`(^|[^0-9A-Za-z])` + regexp.QuoteMeta(value) + `([^0-9A-Za-z]|$)`).MatchString(line)
	}
	diff, before := false, ""
	for line := range strings.Lines(summary) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			diff, before = line == "```diff", ""
			continue
		}
		switch {
		case !diff:
		case holds(line, from) && holds(line, to):
			return []string{line}
		case holds(line, from):
			before = line
		case before != "" && holds(line, to):
			return []string{before, line}
		}
	}
	return nil
}
