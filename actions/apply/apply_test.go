package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/shared/gha/ghatest"
	"github.com/terraform-gitops/gitops/shared/mototest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"apply": func() { os.Exit(Main(clock)) },
	})
}

// clock is the time, moved on by the duration in TEST_CLOCK.
func clock() time.Time {
	later, err := time.ParseDuration(os.Getenv("TEST_CLOCK"))
	if err != nil {
		return time.Now()
	}
	return time.Now().Add(later)
}

func TestStories(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// The plans to apply are made by the plan action itself.
	plan := filepath.Join(t.TempDir(), "plan")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", plan, ".")
	build.Dir = filepath.Join(root, "actions", "plan")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("build the plan action: %w\n%s", err, out))
	}
	testscript.Run(t, ghatest.Scripts{Root: root, Actions: map[string]string{"plan": plan, "apply": "apply"}, AWS: mototest.Start(t)}.Params("testdata/script"))
}

func TestReadmeMatchesActionFile(t *testing.T) { ghatest.CheckReadme(t, ".") }
