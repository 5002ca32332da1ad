package gitops

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

const threeComponents = `
role: {plan: arn:aws:iam::1:role/planner}
workspace: "{stack}"
var-files: ["{stack}.tfvars"]
components:
  cluster: {depends-on: [network]}
  dns: {stacks: [prod]}
  network:
stacks:
  dev: {env: {TF_VAR_size: small}}
  prod:
`

// threeComponentFiles is a repository whose components call one module.
func threeComponentFiles() map[string]string {
	files := map[string]string{"gitops.yaml": threeComponents, "README.md": "x", "modules/tags/main.tf": "locals {}", "modules/tags/README.md": "x"}
	for _, c := range []string{"cluster", "dns", "network"} {
		files["components/"+c+"/main.tf"] = `module "tags" { source = "../../modules/tags" }`
		files["components/"+c+"/.terraform.lock.hcl"] = "x"
		files["components/"+c+"/dev.tfvars"] = "x = 1"
		files["components/"+c+"/prod.tfvars"] = "x = 2"
	}
	return files
}

// affected lists what the changed files affect, a target a line; an empty content
// deletes a file.
func affected(t *testing.T, base *Config, files, changed map[string]string) string {
	t.Helper()
	after := maps.Clone(files)
	maps.Copy(after, changed)
	for name, content := range changed {
		if content == "" {
			delete(after, name)
		}
	}
	changes, err := Affected(t.Context(), base, loaded(t, gittest.Repository(t, after)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return lines(changes)
}

func loaded(t testing.TB, root string) *Config {
	t.Helper()
	c, err := Load(t.Context(), root, "gitops.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lines(changes []inventory.Change) string {
	var text strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&text, "%s: %s", c.Name, strings.Join(c.Why, ", "))
		if c.Deleted {
			text.WriteString(" (deleted)")
		}
		if c.Err != nil {
			fmt.Fprintf(&text, " (error: %v)", c.Err)
		}
		text.WriteString("\n")
	}
	return text.String()
}

func TestAffected(t *testing.T) {
	t.Parallel()
	base := loaded(t, gittest.Repository(t, threeComponentFiles()))
	for name, c := range map[string]struct {
		changed map[string]string
		want    string
	}{
		"nothing":  {nil, ""},
		"a README": {map[string]string{"README.md": "y", "modules/tags/README.md": "y"}, ""},
		"a module that is called by all": {map[string]string{"modules/tags/main.tf": "locals { x = 1 }"}, `
cluster in dev: changed: modules/tags/main.tf
cluster in prod: changed: modules/tags/main.tf
dns in prod: changed: modules/tags/main.tf
network in dev: changed: modules/tags/main.tf
network in prod: changed: modules/tags/main.tf
`},
		"a stack's variables": {map[string]string{"components/network/prod.tfvars": "x = 3"}, `
network in prod: changed: components/network/prod.tfvars
`},
		"a lock file": {map[string]string{"components/network/.terraform.lock.hcl": "y"}, `
network in dev: changed: components/network/.terraform.lock.hcl
network in prod: changed: components/network/.terraform.lock.hcl
`},
		"a file that comes and one that goes": {map[string]string{"components/dns/new.tf": "# x", "components/dns/.terraform.lock.hcl": ""}, `
dns in prod: removed: components/dns/.terraform.lock.hcl, added: components/dns/new.tf
`},
		"the environment of one stack": {map[string]string{"gitops.yaml": strings.ReplaceAll(threeComponents, "small", "large")}, `
cluster in dev: changed: env
network in dev: changed: env
`},
		"a role and a place to keep plans": {map[string]string{"gitops.yaml": strings.ReplaceAll(threeComponents, "planner", "other") + "artifact-storage: {url: /mnt/plans}\n"}, ""},
		"the version of Terraform": {map[string]string{"gitops.yaml": "terraform-version: 1.11.4\n" + threeComponents}, `
cluster in dev: changed: terraform version
cluster in prod: changed: terraform version
dns in prod: changed: terraform version
network in dev: changed: terraform version
network in prod: changed: terraform version
`},
		"OpenTofu instead": {map[string]string{"gitops.yaml": "opentofu-version: 1.9.0\n" + threeComponents, "components/dns/main.tf": "# x"}, `
cluster in dev: removed: terraform version, added: tofu version
cluster in prod: removed: terraform version, added: tofu version
dns in prod: removed: terraform version, added: tofu version, changed: components/dns/main.tf, removed: modules/tags/main.tf
network in dev: removed: terraform version, added: tofu version
network in prod: removed: terraform version, added: tofu version
`},
		"a component that goes": {map[string]string{"gitops.yaml": strings.ReplaceAll(threeComponents, "dns:", "zones: {path: components/network, workspace: of-its-own, var-files: []}\n  #")}, `
dns in prod: deleted (deleted)
zones in dev: new
zones in prod: new
`},
		"a component that gets another name, and one that comes": {map[string]string{"gitops.yaml": strings.ReplaceAll(threeComponents, "dns:", "zones: {path: components/dns}\n  dns-two:"), "components/dns-two/main.tf": "# x", "components/dns-two/prod.tfvars": "x", "components/dns/main.tf": "# x"}, `
dns-two in prod: new
zones in dev: new
zones in prod: renamed from dns in prod
`},
		"a folder that goes while it is still listed": {map[string]string{"components/dns/main.tf": "", "components/dns/.terraform.lock.hcl": "", "components/dns/dev.tfvars": "", "components/dns/prod.tfvars": ""}, `
dns in prod: removed: components/dns/.terraform.lock.hcl, removed: components/dns/main.tf, removed: components/dns/prod.tfvars, removed: modules/tags/main.tf (error: gitops.yaml:7:3: the root module folder of dns in prod, ` + "`components/dns`" + `, can't be used (add it, or set ` + "`path`" + `): no such file or directory)
`},
		"variables that go while they are still listed": {map[string]string{"components/network/dev.tfvars": ""}, `
network in dev: removed: components/network/dev.tfvars (error: gitops.yaml:4:13: the var file of network in dev, ` + "`components/network/dev.tfvars`" + `, can't be used (add it, or correct the list): no such file or directory)
`},
		"many files": {map[string]string{"components/dns/a": "x", "components/dns/b": "x", "components/dns/c": "x", "components/dns/d": "x", "components/dns/e": "x", "components/dns/f": "x", "components/dns/g": "x"}, `
dns in prod: added: components/dns/a, added: components/dns/b, added: components/dns/c, added: components/dns/d, added: components/dns/e, … and 2 more
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), affected(t, base, threeComponentFiles(), c.changed)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A fault of before must neither stop everybody's changes, nor hide a change.
func TestAffectedWhereATargetWasBrokenBefore(t *testing.T) {
	t.Parallel()
	files := threeComponentFiles()
	delete(files, "components/dns/prod.tfvars")
	base := loaded(t, gittest.Repository(t, files))
	if got := affected(t, base, files, map[string]string{"gitops.yaml": "\n" + threeComponents}); got != "" {
		t.Errorf("nothing of it changed:\n%s", got)
	}
	got := affected(t, base, files, map[string]string{"components/dns/main.tf": "# x"})
	if !strings.HasPrefix(got, "dns in prod: changed: components/dns/main.tf") || !strings.Contains(got, "(error: gitops.yaml:4:13: the var file of dns in prod") {
		t.Errorf("it changed:\n%s", got)
	}
	if got, want := affected(t, base, files, map[string]string{"components/dns/prod.tfvars": "x = 1"}), "dns in prod: added: components/dns/prod.tfvars\n"; got != want {
		t.Errorf("mended: %s, want %s", got, want)
	}
}

func TestAffectedWhereATargetCannotBeRead(t *testing.T) {
	t.Parallel()
	files := threeComponentFiles()
	got := affected(t, loaded(t, gittest.Repository(t, files)), files, map[string]string{"components/dns/main.tf": `module "x" { source = "../../../x" }`})
	want := "dns in prod: changed: what can be read of it (error: `components/dns/main.tf` calls the module `../../../x`: it lies outside the checkout)\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAffectedWithoutABaseIsAll(t *testing.T) {
	t.Parallel()
	files := threeComponentFiles()
	delete(files, "components/dns/prod.tfvars")
	changes, err := Affected(t.Context(), nil, loaded(t, gittest.Repository(t, files)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if diff := cmp.Diff([]string{"new"}, c.Why); diff != "" || (c.Err != nil) != (c.Component == "dns") {
			t.Errorf("%s: %v, %v", c.Name, c.Why, c.Err)
		}
	}
	if len(changes) != 5 {
		t.Errorf("%d of 5 targets", len(changes))
	}
}

func TestAffectedStops(t *testing.T) {
	t.Parallel()
	c := loaded(t, gittest.Repository(t, threeComponentFiles()))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancelled := errors.New("the job was cancelled")
	cancel(cancelled)
	if _, err := Affected(ctx, c, c, nil); !errors.Is(err, cancelled) && !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
