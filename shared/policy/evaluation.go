package policy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// Limits of one evaluation, if Options has none.
const (
	DefaultTime   = 60 * time.Second
	DefaultMemory = 2 << 30 // bytes
)

// EvaluatorArgument is the first argument of a program that is an evaluator.
const EvaluatorArgument = "evaluate-policies"

const (
	// stall is how long the evaluator may read nothing. It reads while it compiles.
	stall = 60 * time.Second
	// grace is how much longer than its time limit the evaluator may take, to say that itself.
	grace = 5 * time.Second
	// maxVerdict is far above what the evaluator writes.
	maxVerdict = 64 << 20
	maxStderr  = 64 << 10
)

// Options are what an evaluation needs.
type Options struct {
	Policies Set // not empty
	Facts    Facts
	Time     time.Duration // after the plan JSON has arrived; 0: DefaultTime
	Memory   int64         // bytes; 0: DefaultMemory
	Program  string        // its main calls evaluator.Serve first; empty: this program
}

// Evaluation evaluates policies on a plan, in a process of its own: a policy that loops for ever
// or eats memory can't hurt this one. It is an [io.Writer] of the plan JSON, which may come in any
// parts. Whatever goes wrong is a verdict that denies.
type Evaluation struct {
	digest       string
	time         time.Duration
	memory       int64
	cancel       context.CancelFunc
	cmd          *exec.Cmd
	stdin        *os.File
	stdout       limited
	stderr       limited
	asked        chan error    // the result of sending the request, once
	exited       chan struct{} // closed when the process has ended
	once         sync.Once
	broken       error // why nothing is sent any more
	frame        []byte
	requestTaken bool
}

// Start starts an evaluation, which has to be ended by End or Cancel. An error says that no process
// could be started. If ctx ends, the evaluation ends with a verdict that denies.
func Start(ctx context.Context, o Options) (*Evaluation, error) {
	program := o.Program
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("evaluate policies: %w", err)
		}
		program = self
	}
	o.Facts.complete()
	e := &Evaluation{
		digest: o.Policies.Digest(),
		time:   cmp.Or(o.Time, DefaultTime),
		memory: cmp.Or(o.Memory, DefaultMemory),
		stdout: limited{max: maxVerdict},
		stderr: limited{max: maxStderr},
		asked:  make(chan error, 1),
		exited: make(chan struct{}),
	}
	request, err := json.Marshal(Request{Policies: o.Policies.sorted(), Facts: o.Facts, Time: e.time, Memory: e.memory})
	if err != nil {
		return nil, fmt.Errorf("evaluate policies: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("evaluate policies: %w", err)
	}
	ctx, e.cancel = context.WithCancel(ctx)
	e.cmd = exec.CommandContext(ctx, program, EvaluatorArgument)
	e.cmd.Env = []string{} // policies have no environment to read
	e.cmd.Dir = "/"
	e.cmd.Stdin, e.cmd.Stdout, e.cmd.Stderr = read, &e.stdout, &e.stderr
	e.cmd.WaitDelay = grace
	e.stdin = write
	err = e.cmd.Start()
	_ = read.Close()
	if err != nil {
		_ = write.Close()
		e.cancel()
		return nil, fmt.Errorf("evaluate policies: %w", err)
	}
	go func() {
		_ = e.cmd.Wait() // how it ended is in ProcessState
		close(e.exited)
	}()
	// The pipe may be smaller than the request, and the process takes a moment to start.
	go func() { e.asked <- e.send(appendFrame(nil, frameRequest, request)) }()
	return e, nil
}

// Write hands over a part of the plan JSON. It never fails, since the same JSON is read for the
// report: if the evaluator can't take it, End says so.
func (e *Evaluation) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0 && e.ready(); {
		part := rest[:min(len(rest), maxFrame)]
		rest = rest[len(part):]
		e.frame = appendFrame(e.frame[:0], framePlan, part)
		e.broken = e.send(e.frame)
	}
	return len(p), nil
}

// ready reports whether something can be sent.
func (e *Evaluation) ready() bool {
	if !e.requestTaken {
		e.requestTaken = true
		e.broken = <-e.asked // it has a deadline
	}
	return e.broken == nil
}

func (e *Evaluation) send(frame []byte) error {
	if err := e.stdin.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return err
	}
	_, err := e.stdin.Write(frame)
	return err
}

// End says that the plan is whole, with what it counts, and returns the verdict. Nothing can be
// written after it.
func (e *Evaluation) End(counts changes.Counts) Verdict {
	defer e.Cancel()
	if e.ready() {
		content, err := json.Marshal(counts)
		if err == nil {
			err = e.send(appendFrame(nil, frameCounts, content))
		}
		e.broken = err
	}
	late := false
	wait := e.time + grace
	if errors.Is(e.broken, os.ErrDeadlineExceeded) {
		wait = 0 // it reads nothing
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-e.exited:
	case <-timer.C:
		late = true
		e.Cancel()
	}
	return e.verdict(late)
}

// Cancel ends the evaluation without a verdict. After End it does nothing.
func (e *Evaluation) Cancel() {
	e.once.Do(func() {
		e.cancel()
		<-e.exited
		_ = e.stdin.Close()
	})
}

// verdict is what the evaluator has said, if that can be trusted.
func (e *Evaluation) verdict(late bool) Verdict {
	said := e.stderr.buffer.String()
	state := e.cmd.ProcessState
	switch {
	case late:
		return e.deny("the policies were not evaluated within %s", e.time)
	case strings.Contains(said, "out of memory") || strings.Contains(said, "failed to allocate"): // Go's words, and the race detector's
		return e.deny("the policies need more than %d MiB of memory", e.memory>>20)
	case strings.Contains(said, "stack overflow") || strings.Contains(said, "goroutine stack exceeds"):
		return e.deny("the policies recurse too deep")
	case !state.Success():
		return e.deny("the process that evaluates policies has ended early: %s", state)
	case e.broken != nil:
		return e.deny("the process that evaluates policies has not read the plan: %v", e.broken)
	}
	var v Verdict
	decoder := json.NewDecoder(bytes.NewReader(e.stdout.buffer.Bytes()))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&v)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the verdict")
		}
	}
	switch {
	case e.stdout.exceeded:
		return e.deny("the process that evaluates policies has printed more than %d MiB", maxVerdict>>20)
	case err != nil:
		return e.deny("the process that evaluates policies has printed no verdict: %v", err)
	case v.Digest != e.digest || v.Result != v.result():
		return e.deny("the process that evaluates policies has printed a verdict that contradicts itself")
	}
	return v
}

// deny is the verdict on policies that could not be evaluated.
func (e *Evaluation) deny(format string, args ...any) Verdict {
	return Verdict{Result: Denied, Digest: e.digest, Denied: []Message{{Text: fmt.Sprintf(format, args...)}}}
}

// limited is a buffer that drops what is too much.
type limited struct {
	buffer   bytes.Buffer
	max      int
	exceeded bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.buffer.Len()+len(p) > l.max {
		l.exceeded = true
		return len(p), nil
	}
	return l.buffer.Write(p)
}
