package planfile_test

import (
	"testing"

	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
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
