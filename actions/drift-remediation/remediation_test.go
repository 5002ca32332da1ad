package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// suite also builds the actions that the stories need before or during a remediation.
var suite = &fakerunner.Suite{Others: []string{"plan", "drift-detection", "apply"}}

func TestMain(m *testing.M) {
	suite.M = m
	testscript.Main(suite, map[string]func(){
		"drift-remediation": func() { os.Exit(Main(fakerunner.Clock)) },
		"applied-before":    func() { os.Exit(appliedBefore()) },
	})
}

func TestStories(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	fakerunner.Scripts{
		Root: root, Actions: map[string]string{"plan": suite.Built["plan"], "drift-detection": suite.Built["drift-detection"], "apply": suite.Built["apply"], "drift-remediation": "drift-remediation"},
		AWS: fakeaws.Start(t), Atmos: fakerunner.Atmos(t, root),
	}.Run(t, "testdata/script")
}

func TestReadmeMatchesActionFile(t *testing.T) { fakerunner.CheckReadme(t, ".") }
