package tfvars_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
	"github.com/terraform-gitops/gitops/shared/terraform/tfvars"
)

const declarations = `
variable "text" {
  type    = string
  default = "default"
}
variable "list" {
  type    = list(number)
  default = [1]
}
output "o" { value = [var.text, var.list] }
`

// Of each way of giving a value, the real Terraform says which one counts.
func TestValuesAreThoseThatTerraformPlansWith(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files    map[string]string
		varFiles []string
		git      []string // the environment that settings in Git give
		job      []string // the job's own
		given    []string // unknown, since the job gives them
	}{
		"defaults":               {},
		"an automatic file":      {files: map[string]string{"terraform.tfvars": `text = "a"`}},
		"files in their order":   {files: map[string]string{"terraform.tfvars": `text = "a"`, "terraform.tfvars.json": `{"text": "b"}`, "b.auto.tfvars": `text = "c"`, "a.auto.tfvars.json": `{"text": "d"}`}},
		"a given file":           {files: map[string]string{"x.auto.tfvars": `text = "a"`, "prod.tfvars": "text = \"b\"\nlist = [2, 3]"}, varFiles: []string{"prod.tfvars"}},
		"the environment of Git": {git: []string{"TF_VAR_text=[1]", "TF_VAR_list=[4]"}},
		"a file over that":       {files: map[string]string{"x.auto.tfvars": `text = "a"`}, git: []string{"TF_VAR_text=b"}},
		"a flag":                 {files: map[string]string{"x.auto.tfvars": `text = "a"`}, git: []string{`TF_CLI_ARGS_plan=-var 'text=b c' -var=list=[5]`}},
		"a file in a flag":       {files: map[string]string{"y.tfvars": `text = "f"`}, git: []string{"TF_CLI_ARGS_plan=-var-file=y.tfvars"}},
		"flags for all commands": {git: []string{"TF_CLI_ARGS_plan=-var=text=b"}, job: []string{"TF_VAR_text=c"}},
		"an override file":       {files: map[string]string{"x_override.tf": `variable "text" { default = "other" }`}},
		"the job's environment":  {job: []string{"TF_VAR_text=secret"}, given: []string{"text"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(test.files)
			if files == nil {
				files = map[string]string{}
			}
			files["main.tf"] = declarations
			dir := terraformtest.RootModule(t, files)
			sources := tfvars.Sources{Dir: dir, Program: terraform.Terraform, Env: map[string]string{}, Job: test.job}
			for _, entry := range test.git {
				name, value, _ := strings.Cut(entry, "=")
				sources.Env[name] = value
			}
			for _, file := range test.varFiles {
				sources.VarFiles = append(sources.VarFiles, filepath.Join(dir, file))
			}
			c, _ := terraformtest.New(t, dir, append(test.job, test.git...)...)
			out := filepath.Join(t.TempDir(), "planfile")
			terraformtest.Init(t, c)
			if _, err := c.Plan(t.Context(), terraform.PlanOptions{Out: out, VarFiles: sources.VarFiles}); err != nil {
				t.Fatal(err)
			}
			plan, err := planfile.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			known, err := tfvars.Read(sources)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.given, known.Given); diff != "" {
				t.Errorf("given by the job (-want +got):\n%s", diff)
			}
			if differs, err := known.Compare(plan); err != nil || len(differs) > 0 {
				t.Errorf("the plan differs: %q, %v", differs, err)
			}
			// A value that comes last, and that the plan was not made with.
			sources.Values = map[string]json.RawMessage{"list": json.RawMessage("[9]")}
			if known, err = tfvars.Read(sources); err != nil {
				t.Fatal(err)
			}
			if differs, err := known.Compare(plan); err != nil || len(differs) != 1 || !strings.Contains(differs[0], `"list"`) {
				t.Errorf("another list: %q, %v", differs, err)
			}
		})
	}
}

func TestAMissingFileCouldSetAnyVariable(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": declarations})
	known, err := tfvars.Read(tfvars.Sources{Dir: dir, Program: terraform.Terraform, VarFiles: []string{filepath.Join(dir, "generated.tfvars")}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"list", "text"}, known.Given); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestErrorsShowNoValue(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": declarations, "terraform.tfvars": `text = hunter2(`})
	if _, err := tfvars.Read(tfvars.Sources{Dir: dir, Program: terraform.Terraform}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
}
