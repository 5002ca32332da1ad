package terraform_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
)

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

func TestInitErrorsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": "locals {\n  a = [\n}\n"})
	c, log := terraformtest.New(t, dir)
	_, err := c.Init(t.Context(), terraform.InitOptions{})
	var failed *terraform.CommandError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v is no CommandError", err)
	}
	want := terraform.Diagnostic{
		Severity: "error", Summary: "Invalid expression",
		Detail: "Expected the start of an expression, but found an invalid expression token.",
		File:   "main.tf", Line: 3, EndLine: 3, Snippet: "}",
	}
	if !slices.Contains(failed.Diagnostics, want) {
		t.Errorf("diagnostics %+v", failed.Diagnostics)
	}
	log.Has(t, "\nError: Invalid expression\n\n  on main.tf line 3, in locals:\n   3: }\n")
}

func TestInitLeavesAReadonlyLockFileAlone(t *testing.T) {
	t.Parallel()
	const lock = "# Made by hand.\n"
	dir := terraformtest.RootModule(t, map[string]string{
		"main.tf":             `resource "terraform_data" "a" {}`,
		".terraform.lock.hcl": lock,
	})
	c, log := terraformtest.New(t, dir)
	if _, err := c.Init(t.Context(), terraform.InitOptions{LockReadonly: true}); err != nil {
		t.Fatal(err)
	}
	if got := terraformtest.ReadFile(t, filepath.Join(dir, ".terraform.lock.hcl")); got != lock {
		t.Errorf("lock file is now:\n%s", got)
	}
	log.Has(t, "Terraform has been successfully initialized!\n")
}

func TestInitPassesBackendConfiguration(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{
		"main.tf":     "terraform {\n backend \"local\" {}\n}\nresource \"terraform_data\" \"a\" {}\n",
		"b.tfbackend": `workspace_dir = "spaces"`,
	})
	c, _ := terraformtest.New(t, dir)
	o := terraform.InitOptions{BackendConfig: []string{"b.tfbackend", "path=named.tfstate"}}
	if _, err := c.Init(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "p")
	if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: out}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Apply(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	if !terraformtest.Exists(filepath.Join(dir, "named.tfstate")) {
		t.Error("the state is elsewhere")
	}
}

func TestInitPassesVarFilesWhichTerraformTakes(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `variable "a" {}`, "a.tfvars": "a = 1\n"})
	c, _ := terraformtest.New(t, dir)
	if _, err := c.Init(t.Context(), terraform.InitOptions{VarFiles: []string{"a.tfvars"}}); err != nil {
		t.Error(err)
	}
	c.Path = terraformtest.Script(t, `case "$*" in *" -var-file=a.tfvars"*) ;; *) exit 1 ;; esac`) // OpenTofu reads it
	if _, err := c.Init(t.Context(), terraform.InitOptions{VarFiles: []string{"a.tfvars"}}); err != nil {
		t.Error(err)
	}
}

func TestInitCreatesNoWorkspaceThatOthersHide(t *testing.T) {
	t.Parallel()
	// Two workspaces exist, and the target's does not: `init` alone refuses.
	dir := terraformtest.RootModule(t, map[string]string{
		"main.tf":                        "terraform {\n backend \"local\" {}\n}\noutput \"w\" {\n value = terraform.workspace\n}\n",
		"terraform.tfstate.d/other/keep": "",
	})
	c, log := terraformtest.New(t, dir)
	c.Workspace = "new"
	result := terraformtest.Apply(t, c)
	if got := string(result.Outputs[0].Value); got != `"new"` {
		t.Errorf("applied in workspace %s", got)
	}
	log.Has(t, "Workspace \"new\" is created by the plan.\n")
}

func TestInitWithoutMachineReadableOutput(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": "locals {\n  a = [\n}\n"})
	c, log := terraformtest.New(t, dir)
	// As before Terraform 1.9 and OpenTofu 1.7.
	c.Path = terraformtest.Script(t, `case "$*" in
init*-json*) echo "Error parsing command-line flags: flag provided but not defined: -json" >&2; exit 1;;
esac
exec '`+terraformtest.Program()+`' "$@"`)
	_, err := c.Init(t.Context(), terraform.InitOptions{})
	var failed *terraform.CommandError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v is no CommandError", err)
	}
	for _, want := range []string{"terraform init: failed: ", "Invalid expression", "on main.tf line 3"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not hold %q: %v", want, err)
		}
	}
	log.Has(t, "Error: Invalid expression")

	terraformtest.WriteFiles(t, dir, map[string]string{"main.tf": ""})
	if _, err := c.Init(t.Context(), terraform.InitOptions{}); err != nil {
		t.Error(err)
	}
}

func TestVersionTellsOpenTofu(t *testing.T) {
	t.Parallel()
	c, _ := terraformtest.New(t, t.TempDir(), "TF_VAR_x=1", "TF_LOG=trace", "TF_CLI_ARGS=-json")
	c.Path = terraformtest.Script(t, `echo '{"terraform_version": "1.8.0-rc1", "platform": "linux_amd64", "provider_selections": {}}'`)
	got, err := c.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(terraform.Version{Name: terraform.OpenTofu, Number: "1.8.0-rc1"}, got); diff != "" {
		t.Error(diff)
	}
	// OpenTofu's warnings come first; terraform-exec then asks for text, too.
	c.Path = terraformtest.Script(t, `printf '\nWarning: {"not"}\n\n'
case "$*" in
*-json) printf '{\n  "terraform_version": "1.12.6",\n  "platform": "linux_amd64",\n  "provider_selections": {}\n}\n';;
*) echo "OpenTofu v1.12.6";;
esac`)
	if got, err := c.Version(t.Context()); err != nil || got != (terraform.Version{Name: terraform.OpenTofu, Number: "1.12.6"}) {
		t.Errorf("after a warning: %v, %v", got, err)
	}
	c.Path = terraformtest.Program()
	if got, err := c.Version(t.Context()); err != nil || got.Name != terraform.Terraform {
		t.Errorf("%v, %v", got, err)
	}
}

func TestOpenTofuTellsItsVersionInThePlan(t *testing.T) {
	t.Parallel()
	c, _ := terraformtest.New(t, t.TempDir())
	c.Path = terraformtest.Script(t, `echo '{"@level":"info","@message":"OpenTofu 1.6.2","@module":"tofu.ui","@timestamp":"2024-03-11T19:35:36.737490+01:00","tofu":"1.6.2","type":"version","ui":"1.2"}'`)
	result, err := c.Plan(t.Context(), terraform.PlanOptions{Out: "p"})
	if err != nil || result.Version != (terraform.Version{Name: "tofu", Number: "1.6.2"}) {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestProcessesLeaveNoFilesBehind(t *testing.T) {
	// Not parallel: it looks at the folder for temporary files.
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	c, _ := terraformtest.New(t, dir)
	terraformtest.Apply(t, c)
	entries, err := os.ReadDir(temp)
	if err != nil || len(entries) != 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
