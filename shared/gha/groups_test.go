package gha_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
)

// sections compares what the log's page shows.
func sections(t *testing.T, output string, want ...section) {
	t.Helper()
	if diff := cmp.Diff(want, run(output).sections, cmp.AllowUnexported(section{})); diff != "" {
		t.Error(diff)
	}
}

func TestGroupsSideBySideAreShownOneAfterTheOther(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New([]string{"RUNNER_TEMP=" + t.TempDir()}, &out)
	a, b, c, d := r.Group("a"), r.Group("b"), r.Group("c"), r.Group("d")
	io.WriteString(a, "a 1\nrest")
	io.WriteString(c, "c 1\nhalf")
	io.WriteString(b, "b 1\n")
	d.Close()
	io.WriteString(a, " of a\n")
	io.WriteString(b, "b 2")
	b.Close()
	sections(t, out.String(), section{"a", []string{"a 1", "rest of a"}})

	a.Close()
	shown := []section{{"a", []string{"a 1", "rest of a"}}, {"b", []string{"b 1", "b 2"}}}
	sections(t, out.String(), append(shown, section{"c", []string{"c 1"}})...)

	io.WriteString(c, " a line\n") // is live now
	shown = append(shown, section{"c", []string{"c 1", "half a line"}})
	sections(t, out.String(), shown...)
	c.Close()
	shown = append(shown, section{title: "d"})
	sections(t, out.String(), shown...)

	e := r.Group("e")
	io.WriteString(e, "e 1\n")
	sections(t, out.String(), append(shown, section{"e", []string{"e 1"}})...)
	e.Close()
}

func TestCommandsBetweenGroupsSideBySide(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New([]string{"RUNNER_TEMP=" + t.TempDir()}, &out)
	a, b := r.Group("a"), r.Group("b")
	io.WriteString(a, "a 1\n")
	io.WriteString(b, "b 1\n::error::not mine\n")
	r.Error(gha.Annotation{Message: "b failed"})
	if errors := run(out.String()).named("error"); len(errors) != 1 {
		t.Errorf("a command waits: %v", errors)
	}
	b.Close()
	io.WriteString(a, "a 2\n")
	a.Close()
	sections(t, out.String(), section{"a", []string{"a 1"}}, section{"a (continued)", []string{"a 2"}},
		section{"b", []string{"b 1", ": :error::not mine"}})
	if seen := run(out.String()); len(seen.named("error")) != 1 || seen.resume != "" || seen.inGroup {
		t.Errorf("the runner sees %+v", seen)
	}
}

// What waits is already redacted, wherever it waits.
func TestSecretsInGroupsThatWait(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New([]string{"RUNNER_TEMP=" + t.TempDir()}, &out)
	r.Redact("s3cr3t-value")
	a, b := r.Group("a"), r.Group("b")
	for range 10_000 {
		io.WriteString(b, "the password is s3cr3")
		io.WriteString(b, "t-value.\n")
	}
	a.Close()
	b.Close()
	if strings.Contains(out.String(), "s3cr3t-value") || strings.Count(out.String(), "the password is ***.\n") != 10_000 {
		t.Error("a secret is shown")
	}
}

func TestGroupsThatWaitAreWholeAndLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out strings.Builder
	r := gha.New([]string{"RUNNER_TEMP=" + dir}, &out)
	live := r.Group("live")
	groups := []io.WriteCloser{r.Group("0"), r.Group("1"), r.Group("2")}
	want := []section{{title: "live"}, {title: "0"}, {title: "1"}, {title: "2"}}
	for i := range 9000 { // several times what is kept in memory
		line := fmt.Sprintf("line %d %s", i, strings.Repeat("x", i%100))
		fmt.Fprintln(groups[i%3], line)
		want[1+i%3].lines = append(want[1+i%3].lines, line)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("others can open %v, %v", names, err)
	}
	groups[1].Close()
	live.Close()
	groups[0].Close()
	groups[2].Close()
	sections(t, out.String(), want...)
}

// heap is how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

//nolint:paralleltest // it measures the memory
func TestGroupsThatWaitTakeLittleMemory(t *testing.T) {
	r := gha.New([]string{"RUNNER_TEMP=" + t.TempDir()}, io.Discard)
	live := r.Group("live")
	before := heap()
	lines := strings.Repeat(strings.Repeat("x", 99)+"\n", 600) // 60 KB
	large := r.Group("large")
	for range 100 {
		io.WriteString(large, lines)
	}
	for range 100 {
		g := r.Group("done")
		io.WriteString(g, lines)
		g.Close()
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("12 MB of log take %d bytes", after-before)
	}
	live.Close()
	large.Close()
}

func TestWithoutAFileLinesAreShownAtOnce(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New([]string{"RUNNER_TEMP=" + filepath.Join(t.TempDir(), "missing")}, &out)
	a, b, c := r.Group("a"), r.Group("b"), r.Group("c")
	var want []string
	for i := range 2000 {
		line := fmt.Sprintf("line %d %s", i, strings.Repeat("x", 80))
		fmt.Fprintln(b, line)
		want = append(want, line)
	}
	io.WriteString(a, "a 1\n")
	io.WriteString(c, "c 1\n")
	c.Close()
	a.Close()
	fmt.Fprintln(b, "last")
	b.Close()
	var got []string
	for _, s := range run(out.String()).sections {
		if len(s.lines) == 0 && s.title != "a" {
			t.Errorf("%q is empty", s.title)
		}
		switch title := strings.TrimSuffix(s.title, " (continued)"); title {
		case "b":
			got = append(got, s.lines...)
		default:
			for _, line := range s.lines {
				if line != title+" 1" {
					t.Errorf("%q in %q", line, s.title)
				}
			}
		}
	}
	if diff := cmp.Diff(append(want, "last"), got); diff != "" {
		t.Error(diff)
	}
	for _, line := range []string{"a 1\n", "c 1\n"} {
		if strings.Count(out.String(), line) != 1 {
			t.Errorf("%q is not there once", line)
		}
	}
}

func TestGroupsOfManyGoroutines(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New([]string{"RUNNER_TEMP=" + t.TempDir()}, &out)
	var targets sync.WaitGroup
	for target := range 12 {
		targets.Go(func() {
			for step := range 3 {
				g := r.Group(fmt.Sprintf("target %d step %d", target, step))
				var writers sync.WaitGroup
				for range 2 {
					writers.Go(func() {
						for range 500 {
							fmt.Fprintf(g, "target %d step %d %s\n", target, step, strings.Repeat("x", 200))
						}
					})
				}
				writers.Wait()
				g.Close()
			}
		})
	}
	targets.Wait()
	var titles []string
	for _, s := range run(out.String()).sections {
		titles = append(titles, s.title)
		for _, line := range s.lines {
			if !strings.HasPrefix(line, s.title+" x") {
				t.Fatalf("%q is in %q", line, s.title)
			}
		}
		if len(s.lines) != 1000 {
			t.Errorf("%s has %d lines", s.title, len(s.lines))
		}
	}
	slices.Sort(titles)
	if len(slices.Compact(titles)) != 36 {
		t.Errorf("%d sections: %q", len(titles), titles)
	}
}
