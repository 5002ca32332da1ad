package planfile_test

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/shared/terraform/program"
)

const applied = `
variable "file" { default = "main.tf" }
variable "password" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "one" {
  count = 2
  input = var.password
  lifecycle {
    precondition {
      condition     = var.password != ""
      error_message = "No password."
    }
  }
}
data "terraform_remote_state" "self" {
  backend = "local"
  config  = { path = "other.tfstate" }
}
output "name" { value = "network" }
check "file" {
  assert {
    condition     = fileexists(var.file)
    error_message = "No file."
  }
}
`

// What the planfile tells of a plan without changes is what the output of show -json tells. In any
// other case the planfile leaves it to that output.
func TestAPlanfileWithoutChangesTellsWhatShowTells(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		file        string // "main.tf" if empty
		old, new    string // what is replaced in it after the apply
		args        string
		refreshOnly bool
		changes     bool // -detailed-exitcode is 2
		unchanged   bool
	}{
		{name: "the same", unchanged: true},
		{name: "compared with the state", refreshOnly: true, unchanged: true},
		{name: "a comment", old: "variable", new: "# Variables.\nvariable", unchanged: true},
		{name: "a new data source", old: "output", new: "data \"terraform_remote_state\" \"new\" {\n  backend = \"local\"\n  config = { path = \"other.tfstate\" }\n}\noutput", unchanged: true},
		{name: "a check that fails", old: `default = "main.tf"`, new: `default = "none.tf"`},
		{name: "a part", args: "-target=terraform_data.one"},
		{name: "an update", old: "input = var.password", new: "input = 2", changes: true},
		{name: "an output alone", old: `value = "network"`, new: `value = "subnet"`, changes: true},
		{name: "an output of the state", file: "terraform.tfstate", old: `"network"`, new: `"subnet"`, refreshOnly: true, changes: true},
		{name: "a move alone", old: `resource "terraform_data" "one"`, new: "moved {\n  from = terraform_data.one\n  to = terraform_data.two\n}\nresource \"terraform_data\" \"two\"", changes: true},
		{name: "resources that are forgotten", old: applied, new: "removed {\n  from = terraform_data.one\n  lifecycle {\n    destroy = false\n  }\n}\noutput \"name\" { value = \"network\" }\n", changes: true},
		{name: "an import", old: "output", new: "import {\n  to = terraform_data.imported\n  id = \"x\"\n}\nresource \"terraform_data\" \"imported\" {}\noutput", changes: true},
		{name: "a destroy", args: "-destroy", changes: true},
		{name: "a replacement", args: "-replace=terraform_data.one[0]", changes: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := terraformtest.RootModule(t, map[string]string{"main.tf": applied, "other.tfstate": `{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{},"resources":[]}`})
			c, _ := terraformtest.New(t, dir)
			terraformtest.Apply(t, c)
			file := filepath.Join(dir, cmp.Or(test.file, "main.tf"))
			before := terraformtest.ReadFile(t, file)
			if !strings.Contains(before, test.old) {
				t.Fatalf("%q is not in %s", test.old, before)
			}
			if err := os.WriteFile(file, []byte(strings.Replace(before, test.old, test.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if test.args != "" {
				c.Env = append(c.Env, "TF_CLI_ARGS_plan="+test.args)
			}
			path := filepath.Join(t.TempDir(), "p")
			made, err := c.Plan(t.Context(), terraform.PlanOptions{Out: path, RefreshOnly: test.refreshOnly})
			if err != nil || made.HasChanges != (test.changes) {
				t.Fatalf("it has changes: %t, %v", made.HasChanges, err)
			}
			var shown *changes.Plan
			if err := c.ShowJSON(t.Context(), path, func(r io.Reader) (err error) {
				shown, err = changes.Read(r, changes.Limit{Bytes: 1 << 20, RefreshOnly: test.refreshOnly})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			told, ok := mustOpen(t, path).Unchanged(program.Terraform)
			if ok != test.unchanged {
				t.Fatalf("it is unchanged: %t; show has %+v", ok, shown)
			}
			if !ok {
				return
			}
			if diff := gocmp.Diff(shown, told, cmpopts.IgnoreFields(changes.Plan{}, "FormatVersion", "Digest")); diff != "" {
				t.Errorf("-show, +planfile:\n%s", diff)
			}
		})
	}
}

// Fields of tfplan that Terraform 1.11 does not write by itself.
func TestAPlanfileLeavesToShowWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	const complete, drift = "\xd0\x01\x01", "\x92\x01\x04\x4a\x02\x08\x03"
	for _, test := range []struct {
		name, fields string
		madeBy       string
		unchanged    bool
		leftOut      int
	}{
		{"Terraform before 1.8", "", program.Terraform, false, 0},
		{"Terraform", complete, program.Terraform, true, 0},
		{"OpenTofu", "", program.OpenTofu, true, 0},
		{"OpenTofu with a field of Terraform's number", complete, program.OpenTofu, false, 0},
		{"drift that contributed to no change", complete + drift + drift, program.Terraform, true, 2},
		{"drift in a refresh-only plan", complete + drift + "\x88\x01\x02", program.Terraform, false, 0},
		{"drift, and an attribute that contributed", complete + drift + "\x7a\x00", program.Terraform, false, 0},
		{"an action", complete + "\xf2\x01\x00", program.Terraform, false, 0},
		{"an action that is deferred", complete + "\xfa\x01\x00", program.Terraform, false, 0},
		{"a change that is deferred", complete + "\xda\x01\x02\x12\x00", program.Terraform, false, 0},
		{"a change of an unknown kind", complete + "\x1a\x04\x4a\x02\x08\x0a", program.Terraform, false, 0},
		{"a check that passed", complete + "\x9a\x01\x02\x18\x01", program.Terraform, true, 0},
		{"a check that is not known yet", complete + "\x9a\x01\x00", program.Terraform, false, 0},
		{"a failed plan", complete + "\xa0\x01\x01", program.Terraform, false, 0},
		{"a plan that Terraform would apply", complete + "\xc8\x01\x01", program.Terraform, false, 0},
		{"a new form of the state, in a refresh-only plan", complete + "\xc8\x01\x01\x88\x01\x02", program.Terraform, true, 0},
		{"an unknown field", complete + "\x82\x04\x00", program.Terraform, false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			entries := forged(nil)
			for i := range entries {
				if entries[i].name == "tfplan" {
					entries[i].content += test.fields
				}
			}
			path := filepath.Join(t.TempDir(), "p")
			terraformtest.WriteFiles(t, filepath.Dir(path), map[string]string{"p": zipOf(t, entries...)})
			plan, ok := mustOpen(t, path).Unchanged(test.madeBy)
			if ok != test.unchanged || ok && (plan.DriftLeftOut != test.leftOut || plan.Outside() != 0) {
				t.Errorf("it is unchanged: %t, %+v", ok, plan)
			}
		})
	}
}
