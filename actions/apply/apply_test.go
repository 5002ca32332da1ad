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
	testscript.Main(suite{m}, map[string]func(){
		"apply": func() { os.Exit(Main(clock)) },
	})
}

// planBinary is the plan action: it makes the plans that are applied.
var planBinary string

// suite builds the plan action before the tests run.
type suite struct{ *testing.M }

func (s suite) Run() int {
	dir, err := os.MkdirTemp("", "gitops-plan-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	planBinary = filepath.Join(dir, "plan")
	build := exec.Command("go", "build", "-o", planBinary, ".")
	build.Dir = filepath.Join("..", "plan")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Errorf("build the plan action: %w\n%s", err, out))
	}
	return s.M.Run()
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
	testscript.Run(t, ghatest.Scripts{Root: root, Actions: map[string]string{"plan": planBinary, "apply": "apply"}, AWS: mototest.Start(t), Atmos: ghatest.Atmos(t, root)}.Params("testdata/script"))
}

func TestReadmeMatchesActionFile(t *testing.T) { ghatest.CheckReadme(t, ".") }
