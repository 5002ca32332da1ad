package gha_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
)

func TestGroupShowsLinesAsTextOnly(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	g := gha.New(nil, &out).Group("terraform plan: vpc,\nplat")
	io.WriteString(g, "Refreshing\n::error::not mine\n  ::add-mask::x\nsee ##[endgroup] and ##[add-mask]y\n")
	io.WriteString(g, "IPv6 is\n::/0\n\ttext :: text ::\nhalf")
	io.WriteString(g, " a line\r\nlone\rreturn\r")
	io.WriteString(g, "\n\nlast")
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	want := `::group::terraform plan: vpc, plat
::stop-commands::TOKEN
Refreshing
: :error::not mine
  : :add-mask::x
see ## [endgroup] and ## [add-mask]y
IPv6 is
::/0
	text :: text ::
half a line
lone
return

last
::TOKEN::
::endgroup::
`
	if diff := cmp.Diff(want, withoutTokens(out.String())); diff != "" {
		t.Error(diff)
	}
	seen := run(out.String())
	if len(seen.commands) != 2 || len(seen.grouped) != len(seen.shown) || seen.resume != "" {
		t.Errorf("the runner sees %+v", seen)
	}
}

func TestGroupShowsALineOnceItIsComplete(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New(nil, &out)
	r.Redact("first line\nsecond line")
	g := r.Group("apply")
	defer g.Close()
	shows := func(text string) bool { return strings.Contains(out.String(), text) }

	io.WriteString(g, "creating")
	if shows("creating") {
		t.Error("half a line is shown")
	}
	io.WriteString(g, " a\n")
	if !shows("creating a\n") {
		t.Error("a complete line is not shown at once")
	}
	io.WriteString(g, "first line\n") // may go on as the secret of two lines
	if shows("***") {
		t.Error("it was not waited for the rest of the secret")
	}
	io.WriteString(g, "third line\n")
	if !shows("***\nthird line\n") {
		t.Errorf("got %s", out.String())
	}
}

func TestCommandsWhileAGroupIsOpenStillReachTheRunner(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New([]string{"GITHUB_ACTIONS=true"}, &out)
	g := r.Group("apply")
	io.WriteString(g, "one\ntw")
	r.Error(gha.Annotation{Message: "failed"})
	r.Mask("credential")
	io.WriteString(g, "o\nthree\n")
	g.Close()
	want := `::group::apply
::stop-commands::TOKEN
one
::TOKEN::
::endgroup::
::error::failed
::add-mask::credential
::group::apply (continued)
::stop-commands::TOKEN
two
three
::TOKEN::
::endgroup::
`
	if diff := cmp.Diff(want, withoutTokens(out.String())); diff != "" {
		t.Error(diff)
	}
	if tokens := strings.Count(out.String(), "::stop-commands::"); tokens != 2 {
		t.Fatalf("%d sections", tokens)
	}
	first, second, _ := strings.Cut(out.String(), "::add-mask::")
	token := func(s string) string { _, s, _ = strings.Cut(s, "::stop-commands::"); return s[:26] }
	if token(first) == token(second) {
		t.Error("a token that was printed before is used again")
	}
}

func TestGroupTakesLinesFromSeveralWriters(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := gha.New(nil, &out)
	g := r.Group("apply")
	var writers sync.WaitGroup
	for writer := range 4 {
		writers.Go(func() {
			for i := range 100 {
				fmt.Fprintf(g, "writer %d line %d\n", writer, i)
				if i%25 == 0 {
					r.Notice(gha.Annotation{Message: fmt.Sprint(i)})
					r.Redact(fmt.Sprintf("secret %d %d", writer, i))
				}
			}
		})
	}
	writers.Wait()
	g.Close()
	seen := run(out.String())
	if len(seen.shown) != 400 || len(seen.grouped) != 400 || len(seen.named("notice")) != 16 {
		t.Errorf("%d lines, %d of them grouped, %d notices", len(seen.shown), len(seen.grouped), len(seen.named("notice")))
	}
}

func TestGroupBreaksALineWithoutEnd(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	g := gha.New(nil, &out).Group("apply")
	chunk := strings.Repeat("x", 1<<16)
	for range 40 {
		io.WriteString(g, chunk)
	}
	if !strings.Contains(out.String(), chunk) {
		t.Error("all of it is held back")
	}
	g.Close()
	seen := run(out.String())
	if len(seen.shown) != 3 || len(strings.Join(seen.shown, "")) != 40<<16 {
		t.Errorf("%d lines", len(seen.shown))
	}
}

func TestABrokenLogDoesNotEndTheWriting(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	g := gha.New(nil, writerFunc(func([]byte) (int, error) { return 0, broken })).Group("apply")
	if n, err := io.WriteString(g, "a line\n"); n != 7 || err != nil {
		t.Errorf("wrote %d bytes, error %v", n, err)
	}
	if err := g.Close(); !errors.Is(err, broken) {
		t.Errorf("closed with %v", err)
	}
	if err := g.Close(); !errors.Is(err, broken) {
		t.Errorf("closed twice with %v", err)
	}
	if _, err := io.WriteString(g, "more"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing after the end: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Even text that knows the token cannot end the stop.
func FuzzGroup(f *testing.F) {
	const token = "KNOWNTOKEN"
	f.Add("::KNOWNTOKEN::\n::error::x\n", uint64(1))
	f.Add(" \u2028\u00a0::knowntoken::", uint64(2))
	f.Add("a ##[KNOWNTOKEN]\r##[error]x\r", uint64(3))
	f.Add("###[KNOWNTOKEN] ##\n[KNOWNTOKEN]", uint64(4))
	f.Add(":::KNOWNTOKEN::\n::\n::::KNOWNTOKEN::\n: :KNOWNTOKEN::", uint64(5))
	f.Add("\x1b[0m::KNOWNTOKEN::\x00\n\u200b::KNOWNTOKEN::\v::KNOWNTOKEN::", uint64(6))
	f.Add("::endgroup::\n##[endgroup]\n##[group]x", uint64(7))
	f.Add("s3cr3t::KNOWNTOKEN::", uint64(8))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		var out strings.Builder
		r := gha.New(nil, &out).WithRandom(func() string { return token })
		r.Redact("s3cr3t")
		g, waiting := r.Group(text), r.Group(text)
		writeSplit(waiting, text, seed)
		writeSplit(g, text, seed)
		g.Close()
		waiting.Close()
		seen := run(out.String())
		var names []string
		for _, c := range seen.commands {
			names = append(names, c.name)
		}
		if diff := cmp.Diff([]string{"group", "endgroup", "group", "endgroup"}, names); diff != "" {
			t.Errorf("%q becomes commands: %s", out.String(), diff)
		}
		if len(seen.grouped) != len(seen.shown) {
			t.Errorf("text left the group: %q", out.String())
		}
		if seen.resume != "" {
			t.Errorf("commands are still stopped: %q", out.String())
		}
	})
}

// writeSplit writes text in pieces of random lengths.
func writeSplit(w io.Writer, text string, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	for text != "" {
		n := 1 + random.IntN(min(len(text), 1+random.IntN(20)))
		io.WriteString(w, text[:n])
		text = text[n:]
	}
}
