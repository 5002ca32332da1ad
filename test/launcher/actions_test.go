package launcher

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
)

// One launcher starts all four actions. Each has a file of one line, shared/launcher/NAME.js.
func TestTheActionsAreStartedByTheLauncher(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../actions/*/action.yml")
	check(t, err)
	if len(files) != 4 {
		t.Fatalf("actions: %q", files)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		check(t, err)
		var action struct {
			Runs struct{ Using, Main, Post string }
		}
		check(t, yaml.Unmarshal(content, &action))
		name := filepath.Base(filepath.Dir(file))
		if runs := action.Runs; runs.Using != "node24" || runs.Main != "../../shared/launcher/"+name+".js" || runs.Post != "../../shared/launcher/post.js" {
			t.Errorf("%s: runs: %+v", file, runs)
		}
		main, err := os.ReadFile(filepath.Join(filepath.Dir(file), "..", "..", "shared", "launcher", name+".js"))
		check(t, err)
		if want := "\"use strict\";\nrequire(\"./main.js\").run(\"" + name + "\");\n"; string(main) != want {
			t.Errorf("shared/launcher/%s.js is not\n%s", name, want)
		}
	}
}
