//go:build opentofu

// Package opentofu repeats the main stories with OpenTofu: `make opentofu`.
package opentofu

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// actions are the paths of the actions' binaries.
var actions = map[string]string{}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gitops-opentofu-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"plan", "apply"} {
		if actions[name], err = fakerunner.Binary(context.Background(), "../..", dir, name); err != nil {
			panic(err)
		}
	}
	return m.Run()
}

// versions of both programs, as the stories know them.
func versions(t *testing.T) (tofu, terraformNumber string) {
	t.Helper()
	numbers := map[string]string{}
	for _, name := range []string{terraform.OpenTofu, terraform.Terraform} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("%s is not on PATH: run `make opentofu`, with Terraform installed", name)
		}
		version, err := (&terraform.CLI{Path: path, Dir: t.TempDir(), Env: os.Environ()}).Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if version.Name != name {
			t.Fatalf("%s is %s", path, version)
		}
		numbers[name] = version.Number
	}
	return numbers[terraform.OpenTofu], numbers[terraform.Terraform]
}

func TestStories(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	tofu, terraformNumber := versions(t)
	testscript.Run(t, fakerunner.Scripts{
		Root: root, Actions: actions, AWS: fakeaws.Start(t),
		Environ: []string{"TOFU_VERSION=" + tofu, "TERRAFORM_VERSION=" + terraformNumber},
	}.Params("testdata/script"))
}
