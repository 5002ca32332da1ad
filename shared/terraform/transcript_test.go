package terraform

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLinesComeOutAsTheyWentIn(t *testing.T) {
	t.Parallel()
	const text = "one\n\ntwo\r\n{\"three\":3}\nlast"
	want := []string{"one", "", "two\r", `{"three":3}`, "last"}
	for size := 1; size <= len(text); size++ {
		var got []string
		s := lineSplitter{emit: func(line []byte, omitted int) {
			got = append(got, string(line))
			if omitted != 0 {
				t.Errorf("%d bytes omitted", omitted)
			}
		}}
		for rest := []byte(text); len(rest) > 0; rest = rest[min(size, len(rest)):] {
			if n, err := s.Write(rest[:min(size, len(rest))]); err != nil || n != min(size, len(rest)) {
				t.Fatal(n, err)
			}
		}
		s.flush()
		s.flush()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("written %d bytes at a time: %s", size, diff)
		}
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\n"), 1)
	f.Add([]byte("{\n}\n\nx"), 3)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		var got bytes.Buffer
		s := lineSplitter{emit: func(line []byte, _ int) { got.Write(append(line, '\n')) }}
		size = max(1, size)
		for rest := text; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			_, _ = s.Write(rest[:min(size, len(rest))])
		}
		s.flush()
		want := text
		if len(text) > 0 && text[len(text)-1] != '\n' {
			want = append(bytes.Clone(text), '\n')
		}
		if len(text) <= maxTextLine && !bytes.Equal(got.Bytes(), want) {
			t.Errorf("got %q, want %q", got.Bytes(), want)
		}
	})
}

// lines feeds lines to a transcript and returns what it logs.
func lines(t *transcript, text ...string) string {
	var log strings.Builder
	t.log = &log
	s := lineSplitter{emit: t.line}
	for _, line := range text {
		_, _ = s.Write([]byte(line + "\n"))
	}
	s.flush()
	return log.String()
}

func TestMessageTooLongToBeReadIsAWarning(t *testing.T) {
	t.Parallel()
	var tr transcript
	log := lines(&tr, `{"@module":"terraform.ui","outputs":"`+strings.Repeat("x", maxMessageLine)+`"}`, "next")
	if len(tr.diagnostics) != 1 || tr.diagnostics[0].Severity != "warning" || !strings.Contains(tr.diagnostics[0].Detail, "67108903 bytes") {
		t.Errorf("diagnostics %+v", tr.diagnostics)
	}
	if len(log) > 1000 || !strings.HasSuffix(log, "next\n") {
		t.Errorf("log of %d bytes", len(log))
	}
}

func TestMessagesOfOtherForms(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, line, want string }{
		{"what a newer version gives another form", `{"@message":"Action started","@module":"terraform.ui","type":"apply_start","hook":{"action":{"addr":"action.x.y"}},"changes":[],"outputs":1,"state":"x"}`, "Action started\n"},
		{"a diagnostic of another form", `{"@message":"Error: new","@module":"terraform.ui","type":"diagnostic","diagnostic":["new"]}`, "Error: new\n"},
		{"a log line that is JSON", `{"@level":"trace","@message":"m","@module":"provider.x"}`, `{"@level":"trace","@message":"m","@module":"provider.x"}` + "\n"},
		{"other JSON", `{"a":1}`, `{"a":1}` + "\n"},
		{"broken JSON", `{"@module":"terraform.ui"`, `{"@module":"terraform.ui"` + "\n"},
		{"what a wrapper prints", "Fetching…", "Fetching…\n"},
		{"text of several lines", `{"@message":"a\nb","@module":"tofu.ui"}`, "a\nb\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := applyReader{begun: map[operation]int{}}
			tr := transcript{on: r.message}
			if diff := cmp.Diff(test.want, lines(&tr, test.line)); diff != "" {
				t.Error(diff)
			}
			if len(r.resources)+len(r.outputs) != 0 || r.dump != "" {
				t.Errorf("read as %+v", r)
			}
		})
	}
}

func TestKeptDiagnosticsAreBounded(t *testing.T) {
	t.Parallel()
	var tr transcript
	long := strings.Repeat("é", maxDiagnosticText)
	var text []string
	for i := range maxDiagnostics + 10 {
		text = append(text, fmt.Sprintf(`{"@message":"","@module":"terraform.ui","type":"diagnostic","diagnostic":{"severity":"warning","summary":"%d","detail":""}}`, i))
	}
	text = append(text, `{"@message":"","@module":"terraform.ui","type":"diagnostic","diagnostic":{"severity":"error","summary":"after all","detail":"`+long+`"}}`)
	log := lines(&tr, text...)
	if len(tr.diagnostics) != maxDiagnostics+1 || tr.errors != 1 || tr.warnings != maxDiagnostics+10 {
		t.Errorf("kept %d, of %d errors and %d warnings", len(tr.diagnostics), tr.errors, tr.warnings)
	}
	last := tr.diagnostics[len(tr.diagnostics)-1]
	if last.Summary != "after all" || len(last.Detail) > maxDiagnosticText+10 || strings.ContainsRune(last.Detail, '\uFFFD') {
		t.Errorf("last is %q with %d bytes of detail", last.Summary, len(last.Detail))
	}
	if !strings.Contains(log, long) {
		t.Error("the log is cut, too")
	}
}
