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
		"drift-remediation": func() { os.Exit(Main(clock)) },
		"applied-before":    func() { os.Exit(appliedBefore()) },
	})
}

// others are the binaries of the actions that make what is remediated, and of the one
// that gets in between.
var others = map[string]string{"plan": "", "drift-detection": "", "apply": ""}

// suite builds the other actions before the tests run.
type suite struct{ *testing.M }

func (s suite) Run() int {
	dir, err := os.MkdirTemp("", "gitops-actions-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for name := range others {
		others[name] = filepath.Join(dir, name)
		build := exec.Command("go", "build", "-o", others[name], ".")
		build.Dir = filepath.Join("..", name)
		if out, err := build.CombinedOutput(); err != nil {
			panic(fmt.Errorf("build the action %s: %w\n%s", name, err, out))
		}
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
	actions := map[string]string{"drift-remediation": "drift-remediation"}
	for name, path := range others {
		actions[name] = path
	}
	testscript.Run(t, ghatest.Scripts{Root: root, Actions: actions, AWS: mototest.Start(t), Atmos: ghatest.Atmos(t, root)}.Params("testdata/script"))
}

func TestReadmeMatchesActionFile(t *testing.T) { ghatest.CheckReadme(t, ".") }
