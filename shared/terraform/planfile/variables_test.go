package planfile_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
)

func TestAnApplyGetsTheVariablesOfItsPlanOnly(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `
variable "same" { type = string }
variable "other" { type = string }
variable "map" { type = map(string) }
variable "empty" { type = map(string) }
variable "number" { type = number }
variable "list" {
  type    = list(string)
  default = []
}
variable "token" {
  type      = string
  ephemeral = true
}
resource "terraform_data" "a" { input = [var.same, var.other, var.map, var.empty, var.number, var.list] }
`})
	given := []string{"TF_VAR_same=a", "TF_VAR_other=b", `TF_VAR_map={"a" = "b"}`, `TF_VAR_empty={}`, "TF_VAR_number=3", "TF_VAR_token=t"}
	c, _ := terraformtest.New(t, dir, given...)
	planfile := terraformtest.Plan(t, c)
	env := []string{"A=", "TF_VAR_same=a", "TF_VAR_other=c", `TF_VAR_map={a="b"}`, "TF_VAR_empty=", "TF_VAR_number=4", "TF_VAR_token=u", "TF_VAR_undeclared=1", "TF_VAR_nothing="}
	want := []string{"A=", "TF_VAR_same=a", `TF_VAR_map={a="b"}`, "TF_VAR_token=u", "TF_VAR_undeclared=1"}
	if diff := cmp.Diff(want, mustOpen(t, planfile).ApplyEnviron(env, terraform.Terraform)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
