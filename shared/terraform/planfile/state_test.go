package planfile_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/shared/terraform/planfile"
)

func TestAStateTellsWhereItIsAndWhichItIs(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{"main.tf": `resource "terraform_data" "a" {}`})
	c, _ := terraformtest.New(t, dir)
	path := terraformtest.Plan(t, c)
	if p := mustOpen(t, path); !p.NoResources {
		t.Error("before the first apply there are resources")
	}
	if lineage, serial, err := c.StatePosition(t.Context()); err != nil || lineage != "" || serial != 0 {
		t.Errorf("no state: %q, %d, %v", lineage, serial, err)
	}
	if _, err := c.Apply(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, terraformtest.Plan(t, c))
	lineage, serial, err := c.StatePosition(t.Context())
	if err != nil || lineage != again.Lineage || serial != again.Serial || lineage == "" {
		t.Errorf("%q, %d, %v; want %q, %d", lineage, serial, err, again.Lineage, again.Serial)
	}
	if again.NoResources {
		t.Error("the state has a resource")
	}
	terraformtest.WriteFiles(t, dir, map[string]string{"main.tf": `output "x" { value = [{ resources = [] }] }`})
	if _, err := c.Apply(t.Context(), terraformtest.Plan(t, c)); err != nil {
		t.Fatal(err)
	}
	if p := mustOpen(t, terraformtest.Plan(t, c)); !p.NoResources || p.Lineage != lineage {
		t.Errorf("all was destroyed: %v, lineage %q", p.NoResources, p.Lineage)
	}
}

func TestWhatIsInAStateIsListedByName(t *testing.T) {
	t.Parallel()
	dir := terraformtest.RootModule(t, map[string]string{
		"main.tf": `
			resource "terraform_data" "one" { input = 1 }
			resource "terraform_data" "counted" { count = 2 }
			module "m" {
				source   = "./m"
				for_each = toset(["a.b", "$${x}"])
			}
			data "terraform_remote_state" "never" {
				count   = 0
				backend = "local"
			}
			output "o" { value = { x = 1 } }`,
		"m/main.tf": `resource "terraform_data" "in" { for_each = toset(["k"]) }`,
	})
	c, _ := terraformtest.New(t, dir)
	if _, err := c.Apply(t.Context(), terraformtest.Plan(t, c)); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := planfile.EachInState(terraformtest.Plan(t, c), func(r planfile.InState) {
		got = append(got, fmt.Sprint(r.Module, " ", r.Type, " ", r.Name, " ", r.Key, " ", r.Attributes))
	}, func(name string) { got = append(got, "output "+name) })
	want := []string{
		"output o",
		` terraform_data counted 0 [id input output triggers_replace]`,
		` terraform_data counted 1 [id input output triggers_replace]`,
		` terraform_data one <nil> [id input output triggers_replace]`,
		`module.m["$${x}"] terraform_data in k [id input output triggers_replace]`,
		`module.m["a.b"] terraform_data in k [id input output triggers_replace]`,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
