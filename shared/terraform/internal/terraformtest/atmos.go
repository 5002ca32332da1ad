package terraformtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// Said is what a Terraform says first of a plan or apply.
const Said = `echo '{"@level":"info","@message":"Terraform 1.11.4","@module":"terraform.ui","terraform":"1.11.4","type":"version"}'
say() { echo '{"@level":"info","@message":"'"$1"'","@module":"terraform.ui","type":"log"}'; }
`

// NewAtmos runs scripts as Atmos and as the Terraform that it starts: what Atmos starts is
// $1 and the arguments for Terraform, all that it does is in the script. The test binary is the keeper: its TestMain begins with
// keeper.Keep.
func NewAtmos(t *testing.T, atmos, terraformScript string) (*terraform.CLI, *Log) {
	t.Helper()
	dir, log := t.TempDir(), &Log{}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Dir(Script(t, Said+terraformScript))
	path := filepath.Join(t.TempDir(), "atmos")
	// atmos terraform plan network -s dev -- FLAGS
	body := "#!/bin/sh\ncommand=$2\nshift 6\nset -- terraform $command \"$@\"\n" + atmos
	if err := executable.Write(path, body); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return &terraform.CLI{
		Path: filepath.Join(bin, "terraform"), Dir: dir, Log: log,
		Env: CleanEnv(t, "PATH="+bin+":"+os.Getenv("PATH"), "DIR="+dir),
		Atmos: &terraform.Atmos{
			Path: path, Dir: dir, Component: "network", Stack: "dev", Keeper: self, Scratch: t.TempDir(),
		},
	}, log
}
