package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is a line of `go test -json`, as `go doc test2json` describes it. An event of a package has no
// test. The output of a build has neither.
type event struct {
	Action, Package, Test, Output string
}

// test is a test of a package, or with no name the package itself.
type test struct{ pkg, name string }

func (t test) String() string { return strings.TrimSpace(t.pkg + " " + t.name) }

type verdict struct {
	out     io.Writer
	passed  int
	failed  []test
	skipped []test
	// running tests and packages, with what they have printed
	running map[test]*bytes.Buffer
}

func newVerdict(out io.Writer) *verdict {
	return &verdict{out: out, running: map[test]*bytes.Buffer{}}
}

// read reads events until the end of the stream. It prints other lines, such as make's own, unchanged.
func (v *verdict) read(stream io.Reader) error {
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		if json.Unmarshal(line, &e) == nil && e.Action != "" {
			v.take(e)
		} else if len(line) > 0 {
			fmt.Fprintf(v.out, "%s\n", bytes.TrimRight(line, "\n"))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the output of go test: %w", err)
		}
	}
}

func (v *verdict) take(e event) {
	t := test{e.Package, e.Test}
	switch e.Action {
	case "start", "run":
		v.running[t] = &bytes.Buffer{}
	case "output":
		if b := v.running[t]; b != nil {
			b.WriteString(e.Output)
		} else {
			fmt.Fprint(v.out, e.Output)
		}
	case "build-output":
		fmt.Fprint(v.out, e.Output)
	case "pass", "fail", "skip":
		if t.name == "" {
			v.endPackage(t, e.Action)
		} else {
			v.endTest(t, e.Action)
		}
	}
}

func (v *verdict) endTest(t test, how string) {
	switch how {
	case "pass":
		v.passed++
	case "fail":
		v.fail(t)
	case "skip":
		v.skipped = append(v.skipped, t)
		v.print(t)
	}
	delete(v.running, t)
}

// endPackage prints a package's result line, and all of its output if it failed. Go skips a package
// without tests, which is no failure.
func (v *verdict) endPackage(pkg test, how string) {
	if how == "fail" {
		v.failRunning(pkg.pkg)
		v.print(pkg)
		if !slices.ContainsFunc(v.failed, func(t test) bool { return t.pkg == pkg.pkg }) {
			v.failed = append(v.failed, pkg) // it did not build, or failed outside any test
		}
	} else if b := v.running[pkg]; b != nil {
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(line, "ok") {
				fmt.Fprint(v.out, line)
			}
		}
	}
	delete(v.running, pkg)
}

// failRunning fails the tests of a package that did not end, since it crashed or took too long.
func (v *verdict) failRunning(pkg string) {
	for _, t := range v.unended() {
		if t.pkg == pkg && t.name != "" {
			v.fail(t)
			delete(v.running, t)
		}
	}
}

func (v *verdict) unended() []test {
	return slices.SortedFunc(maps.Keys(v.running), func(a, b test) int { return strings.Compare(a.String(), b.String()) })
}

func (v *verdict) fail(t test) {
	v.failed = append(v.failed, t)
	v.print(t)
}

// print prints all that a test has printed.
func (v *verdict) print(t test) {
	if b := v.running[t]; b != nil {
		fmt.Fprintf(v.out, "%s", b)
	}
}

// conclude prints what failed, what was skipped, and the count. It reports
// whether every test ran and passed.
func (v *verdict) conclude() bool {
	for _, t := range v.unended() { // go test itself was killed
		v.fail(t)
	}
	for _, t := range v.failed {
		fmt.Fprintf(v.out, "failed: %s\n", t)
	}
	for _, t := range v.skipped {
		fmt.Fprintf(v.out, "skipped: %s\n", t)
	}
	fmt.Fprintf(v.out, "%d passed, %d failed", v.passed, len(v.failed))
	if len(v.skipped) > 0 {
		fmt.Fprintf(v.out, ", %d skipped", len(v.skipped))
	}
	fmt.Fprintln(v.out)
	return v.passed > 0 && len(v.failed) == 0 && len(v.skipped) == 0
}
