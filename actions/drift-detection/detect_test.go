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

// planBinary is the plan action, which finds the drift that the stories tell of.
var planBinary string

func TestMain(m *testing.M) {
	testscript.Main(building{m}, map[string]func(){
		"drift-detection": func() { os.Exit(Main(clock)) },
	})
}

type building struct{ *testing.M }

func (b building) Run() int {
	dir, err := os.MkdirTemp("", "plan-*")
	if err == nil {
		defer os.RemoveAll(dir)
		planBinary = filepath.Join(dir, "plan")
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", planBinary, "../plan")
		cmd.Stderr = os.Stderr
		err = cmd.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the plan action:", err)
		return 1
	}
	return b.M.Run()
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
	testscript.Run(t, ghatest.Scripts{
		Root: root, Actions: map[string]string{"plan": planBinary, "drift-detection": "drift-detection"},
		AWS: mototest.Start(t), Atmos: ghatest.Atmos(t, root),
	}.Params("testdata/script"))
}

func TestReadmeMatchesActionFile(t *testing.T) { ghatest.CheckReadme(t, ".") }
