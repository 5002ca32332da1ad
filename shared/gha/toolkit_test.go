package gha_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actions-go/toolkit/core"
	"github.com/terraform-gitops/gitops/shared/gha"
)

// The toolkit writes to a package-wide writer: these tests are not parallel.

func TestInputMeansWhatItMeansToTheToolkit(t *testing.T) {
	var out strings.Builder
	core.SetStdout(&out)
	t.Cleanup(func() { core.SetStdout(os.Stdout) })
	for _, name := range []string{"component", "plan-role", "two words", "Mixed-Case", "ünïcode", "not-set"} {
		for _, value := range []string{"", "x", " \t x y\r\n", "\u00a0x\u2003", "a=b"} {
			if name != "not-set" {
				t.Setenv("INPUT_"+strings.ToUpper(strings.ReplaceAll(name, " ", "_")), value)
			}
			want, _ := core.GetInput(name)
			if got := gha.New(os.Environ(), &out).Input(name); got != want {
				t.Errorf("input %q with value %q: got %q, the toolkit reads %q", name, value, got, want)
			}
		}
	}
}

// These are the reasons why the rest of the toolkit is not used. When one of
// them fails after an update, that part can be.
func TestToolkitStillCannotBeUsedFor(t *testing.T) {
	var out strings.Builder
	core.SetStdout(&out)
	t.Cleanup(func() { core.SetStdout(os.Stdout) })
	printed := func() *runner {
		defer out.Reset()
		return run(out.String())
	}

	t.Run("messages", func(t *testing.T) {
		core.Error("plan vpc: failed, sorry")
		if got := printed().commands[0].data; got == "plan vpc: failed, sorry" {
			t.Error("a colon and a comma arrive")
		}
	})
	t.Run("masks", func(t *testing.T) {
		core.SetSecret("user:pass,word")
		if got := printed().commands[0].data; got == "user:pass,word" {
			t.Error("the right value is masked")
		}
	})
	t.Run("outputs", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "output")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("GITHUB_OUTPUT", path)
		core.SetOutput("a", "x\n_GitHubActionsGoFileCommandDelimeter_\nadmin=true")
		if got := readOutputs(t, strings.TrimSuffix(content(t, path), "_GitHubActionsGoFileCommandDelimeter_\n\n")); len(got) == 1 {
			t.Error("a value stays one output")
		}
	})
	t.Run("booleans", func(t *testing.T) {
		t.Setenv("INPUT_DRIFT", "ture")
		if core.GetBoolInput("drift") {
			t.Error("a typing error is seen")
		}
	})
}
