package fakerunner

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// logged runs an action with its log in the file $LOG, so that what Terraform runs in a story can
// wait for a line of the action. It needs bash: other shells do not pass on variables such as
// INPUT_PLAN-ROLE, whose names they can't write.
const logged = `exec "$0" >"$LOG" 2>"$LOG.err"`

func action(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("story").(*story)
	if len(args) == 0 {
		ts.Fatalf("usage: [!] action NAME [INPUT=VALUE ...]")
	}
	inputs := map[string]string{"token": s.token(ts, args[0])}
	for _, arg := range args[1:] {
		name, value := input(ts, arg)
		inputs[name] = value
	}
	if !s.sameRun {
		s.newRun()
	}
	s.sameRun = false
	step, err := s.runner.Step(inputs)
	ts.Check(err)
	for _, name := range s.given {
		ts.Setenv(name, "")
	}
	s.given = nil
	for _, v := range step.Environ {
		name, value, _ := strings.Cut(v, "=")
		ts.Setenv(name, value)
		if strings.HasPrefix(name, "INPUT_") {
			s.given = append(s.given, name)
		}
	}
	for name, value := range storySecrets(ts) {
		ts.Setenv(name, value)
	}
	ts.Setenv("LOG", s.log)
	runErr := ts.Exec("/bin/bash", "-c", logged, s.binary(ts, args[0]))
	log := ""
	for _, stream := range []struct {
		file string
		to   io.Writer
	}{{s.log, ts.Stdout()}, {s.log + ".err", ts.Stderr()}} {
		content, err := os.ReadFile(stream.file)
		ts.Check(err)
		_, err = stream.to.Write(content)
		ts.Check(err)
		log += string(content)
	}
	ts.Logf("%s", log)
	summary, err := step.Summary()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("summary.md"), []byte(summary), 0o644))
	outputs, err := step.Outputs()
	ts.Check(err)
	ts.Check(os.RemoveAll(ts.MkAbs("outputs")))
	ts.Check(os.MkdirAll(ts.MkAbs("outputs"), 0o755))
	for name, value := range outputs {
		ts.Check(os.WriteFile(ts.MkAbs(filepath.Join("outputs", name)), []byte(value+"\n"), 0o644))
	}
	var exit *exec.ExitError
	killed := errors.As(runErr, &exit) && !exit.Exited()
	checkStep(ts, s, args[0], step, log, killed)
	if (runErr != nil) != neg {
		ts.Fatalf("action %s: %v\n%s", args[0], runErr, summary)
	}
}

// input reads INPUT=VALUE, or INPUT=@FILE.
func input(ts *testscript.TestScript, arg string) (name, value string) {
	name, value, _ = strings.Cut(arg, "=")
	if file, ok := strings.CutPrefix(value, "@"); ok {
		value = ts.ReadFile(file)
	}
	return name, value
}

func sameRun(_ *testscript.TestScript, s *story, _ []string) { s.sameRun = true }

func setOutput(ts *testscript.TestScript, _ *story, args []string) {
	ts.Setenv(args[1], strings.TrimSuffix(ts.ReadFile(filepath.Join("outputs", args[0])), "\n"))
}

func atOnce(ts *testscript.TestScript, s *story, args []string) {
	var jobs [][]string
	for _, arg := range append([]string{"--"}, args[1:]...) {
		if arg == "--" {
			jobs = append(jobs, nil)
			continue
		}
		jobs[len(jobs)-1] = append(jobs[len(jobs)-1], arg)
	}
	var succeeded atomic.Int64
	var wait sync.WaitGroup
	steps, killed := make([]*Step, len(jobs)), make([]bool, len(jobs))
	for i, job := range jobs {
		inputs := map[string]string{"token": s.token(ts, job[0])}
		for _, arg := range job[1:] {
			name, value := input(ts, arg)
			inputs[name] = value
		}
		s.newRun()
		step, err := s.runner.Step(inputs)
		ts.Check(err)
		steps[i] = step
		cmd := exec.Command(s.look(ts, s.binary(ts, job[0])))
		cmd.Env = append(append(append([]string{}, s.env...), "PATH="+ts.Getenv("PATH"), "LOG="+s.log), step.Environ...) // with Atmos
		log, err := os.Create(s.log + "." + strconv.Itoa(i))
		ts.Check(err)
		cmd.Stdout, cmd.Stderr = log, log
		wait.Go(func() {
			if cmd.Run() == nil {
				succeeded.Add(1)
			}
			killed[i] = cmd.ProcessState != nil && !cmd.ProcessState.Exited()
			_ = log.Close() // it is read below
		})
	}
	wait.Wait()
	var all bytes.Buffer
	for i, job := range jobs {
		log, err := os.ReadFile(s.log + "." + strconv.Itoa(i))
		ts.Check(err)
		ts.Logf("%s", log)
		all.Write(log)
		checkStep(ts, s, job[0], steps[i], string(log), killed[i])
	}
	ts.Check(os.WriteFile(ts.MkAbs("logs"), all.Bytes(), 0o600))
	if int(succeeded.Load()) != number(ts, args[0]) {
		ts.Fatalf("%d succeeded", succeeded.Load())
	}
}

// binary is an action's binary. If the test is its own, that is as slow to start as all that the test
// imports: in `make test` a built one takes its place, unless the story sets the clock, which only tests can.
func (s *story) binary(ts *testscript.TestScript, action string) string {
	if s.Actions[action] == action && os.Getenv(freshVariable) != "" && ts.Getenv(clockVariable) == "" {
		if file := built(action); file != "" {
			return file
		}
	}
	return s.Actions[action]
}

// look finds an action's binary: by its path, or as a command of the test, which is on the
// script's PATH.
func (s *story) look(ts *testscript.TestScript, binary string) string {
	if filepath.IsAbs(binary) {
		return binary
	}
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, binary)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	ts.Fatalf("there is no command %s", binary)
	return ""
}
