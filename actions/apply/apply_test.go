package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// suite also builds the plan action, whose plans are applied.
var suite = &fakerunner.Suite{Others: []string{"plan"}}

func TestMain(m *testing.M) {
	suite.M = m
	testscript.Main(suite, map[string]func(){
		"apply": func() { os.Exit(Main(fakerunner.Clock)) },
	})
}

func TestStories(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	fakerunner.Scripts{
		Root: root, Actions: map[string]string{"plan": suite.Built["plan"], "apply": "apply"},
		AWS: fakeaws.Start(t), Atmos: fakerunner.Atmos(t, root),
	}.Run(t, "testdata/script")
}

func TestReadmeMatchesActionFile(t *testing.T) { fakerunner.CheckReadme(t, ".") }
