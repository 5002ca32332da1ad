package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"plan":          func() { os.Exit(Main(time.Now)) },
		"drift-results": func() { os.Exit(driftResults()) },
		"plan-records":  func() { os.Exit(planRecords()) },
	})
}

func TestStories(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	fakerunner.Scripts{Root: root, Actions: map[string]string{"plan": "plan"}, AWS: fakeaws.Start(t), Atmos: fakerunner.Atmos(t, root)}.Run(t, "testdata/script")
}

func TestReadmeMatchesActionFile(t *testing.T) { fakerunner.CheckReadme(t, ".") }
