package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// standIn prints what Terraform printed for one component of a fleet, as all components are the
// same. A command that was not recorded fails.
const standIn = `#!/bin/sh
dir=${0%/*}
case "$1" in
version | show) cat "$dir/$1" ;;
init) # which notes the backend: the planfile's is compared with it
	data=${TF_DATA_DIR:-.terraform}
	mkdir -p "$data"
	cat "$dir/backend" >"$data/terraform.tfstate"
	cat "$dir/init"
	;;
state) cat "$dir/state" ;;
plan)
	for arg; do
		case "$arg" in -out=*) cat "$dir/planfile" >"${arg#-out=}" ;; esac
	done
	cat "$dir/plan"
	exit 2 # there are changes
	;;
apply) cat "$dir/apply" ;;
*) echo "terraform $1 was not recorded" >&2; exit 1 ;;
esac
`

// recordTerraform runs Terraform once. After that, the fleet's actions run a stand-in that prints the
// same.
func (f *fleet) recordTerraform(tb testing.TB) {
	tb.Helper()
	bin, dir := tb.TempDir(), tb.TempDir()
	module, err := os.ReadFile(f.module(0))
	must(tb, err)
	write(tb, filepath.Join(dir, "main.tf"), string(module))
	planfile := filepath.Join(bin, "planfile")
	for _, args := range [][]string{
		{"version", "-json"},
		{"init", "-json", "-input=false", "-backend-config=path=" + filepath.Join(tb.TempDir(), "terraform.tfstate")},
		{"plan", "-json", "-input=false", "-out=" + planfile},
		{"show", "-json", planfile},
		{"apply", "-json", "-input=false", planfile},
		{"state", "pull"},
	} {
		cmd := exec.CommandContext(tb.Context(), "terraform", args...)
		cmd.Dir, cmd.Env = dir, f.Environ
		out, err := cmd.Output()
		if err != nil {
			tb.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		write(tb, filepath.Join(bin, args[0]), string(out))
	}
	backend, err := os.ReadFile(filepath.Join(dir, ".terraform", "terraform.tfstate"))
	must(tb, err)
	write(tb, filepath.Join(bin, "backend"), string(backend))
	must(tb, executable.Write(filepath.Join(bin, "terraform"), standIn))
	f.Environ = append(f.Environ, "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
}
