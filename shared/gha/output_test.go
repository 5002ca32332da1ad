package gha_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
)

// fileCommands returns a runtime with an output file and a summary file, and
// the paths of these.
func fileCommands(t testing.TB) (r *gha.Runtime, outputs, summary string) {
	dir := t.TempDir()
	outputs, summary = filepath.Join(dir, "output"), filepath.Join(dir, "summary")
	r = gha.New([]string{"GITHUB_OUTPUT=" + outputs, "GITHUB_STEP_SUMMARY=" + summary}, io.Discard)
	return r, outputs, summary
}

func content(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOutputsArriveAsSet(t *testing.T) {
	t.Parallel()
	r, path, _ := fileCommands(t)
	want := []output{
		{"summary", "# Plan\n\n- a\n"},
		{"has-changes", "true"},
		{"empty", ""},
		{"newlines", "\n\n"},
		{"carriage", "a\r\nb\r"},
		{"toolkit", "x\n_GitHubActionsGoFileCommandDelimeter_\nadmin=true\n"},
		{"heredoc", "a<<EOF\nb\nEOF\nc=d"},
	}
	for _, o := range want {
		if err := r.SetOutput(o.name, o.value); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, readOutputs(t, content(t, path)), cmp.AllowUnexported(output{})); diff != "" {
		t.Error(diff)
	}
}

func TestOutputThatCannotBeSet(t *testing.T) {
	t.Parallel()
	r, path, _ := fileCommands(t)
	for name, test := range map[string]struct {
		r                 *gha.Runtime
		name, value, want string
	}{
		"no output file":   {gha.New(nil, io.Discard), "a", "b", "set output `a`: GITHUB_OUTPUT is not set"},
		"a name that ends": {r, "a<<b", "c", `set output "a<<b": not a name`},
		"no name":          {r, "", "c", `set output "": not a name`},
		"a name with line": {r, "a\nb", "c", `set output "a\nb": not a name`},
		"too large":        {r, "a", strings.Repeat("x", 1<<20+1), "set output `a`: 1048577 bytes are more than"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.r.SetOutput(test.name, test.value)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got error %v, want %q", err, test.want)
			}
		})
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("something was written")
	}
}

func TestSummaryIsAppended(t *testing.T) {
	t.Parallel()
	r, _, path := fileCommands(t)
	for _, text := range []string{"# A\n", "# B\n"} {
		if err := r.AddSummary(text); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff("# A\n# B\n", content(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestSummaryLimit(t *testing.T) {
	t.Parallel()
	r, _, path := fileCommands(t)
	if err := r.AddSummary(strings.Repeat("ü", 1<<19)); err != nil {
		t.Fatalf("exactly 1 MiB: %v", err)
	}
	err := r.AddSummary("x")
	if want := "write the job summary: it would have 1048577 bytes, GitHub drops more than 1048576"; err == nil || err.Error() != want {
		t.Errorf("one byte more: got error %v, want %s", err, want)
	}
	if got := len(content(t, path)); got != 1<<20 {
		t.Errorf("the file has %d bytes", got)
	}
}

func TestSummaryWithoutFile(t *testing.T) {
	t.Parallel()
	err := gha.New(nil, io.Discard).AddSummary("x")
	if err == nil || !strings.Contains(err.Error(), "GITHUB_STEP_SUMMARY is not set") {
		t.Errorf("got error %v", err)
	}
}

func FuzzOutput(f *testing.F) {
	f.Add("value", "other")
	f.Add("a\nghadelimiter_\nb=c\n", "")
	f.Add("x\n_GitHubActionsGoFileCommandDelimeter_\ny=z", "<<")
	f.Add("\r\n\r", "=\n=")
	f.Fuzz(func(t *testing.T, first, second string) {
		r, path, _ := fileCommands(t)
		want := []output{{"first", first}, {"second", second}}
		for _, o := range want {
			if err := r.SetOutput(o.name, o.value); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, readOutputs(t, content(t, path)), cmp.AllowUnexported(output{})); diff != "" {
			t.Error(diff)
		}
	})
}
