package atmos_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// applied has a state for network in acme-ue2-dev, as an apply leaves it.
func (p project) applied(outputs string) {
	p.t.Helper()
	if err := os.MkdirAll(p.Root+"/state/acme-ue2-dev", 0o750); err != nil {
		p.t.Fatal(err)
	}
	p.write("state/acme-ue2-dev/terraform.tfstate", `{"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "a", "outputs": {`+outputs+`}, "resources": []}`)
}

// resolve is what Resolve says of service/api with more in its manifest, and its variables.
func (p project) resolve(manifest string) (inventory.Target, error) {
	p.t.Helper()
	p.edit("stacks/orgs/acme/dev.yaml", "    network:\n", "    service/api:\n      "+manifest+"\n    network:\n")
	t := p.target("service/api", "acme-ue2-dev")
	err := p.Resolve(p.t.Context(), &t, p.Env)
	return t, err
}

func TestAValueThatIsNotThereIsTold(t *testing.T) {
	t.Parallel()
	dir := fakerunner.Atmos(t, "../../..")
	network := inventory.Name{Component: "network", Stack: "acme-ue2-dev"}
	for name, c := range map[string]struct {
		manifest string
		at       []string
		reads    []inventory.Name
	}{
		"a variable":                    {`vars: { image: !terraform.output network acme-ue2-dev vpc }`, []string{"vars.image"}, []inventory.Name{network}},
		"of the same stack":             {`vars: { image: !terraform.output network vpc }`, []string{"vars.image"}, []inventory.Name{network}},
		"of another stack":              {`vars: { image: !terraform.output network acme-ue2-prod vpc }`, []string{"vars.image"}, []inventory.Name{{Component: "network", Stack: "acme-ue2-prod"}}},
		"by its state":                  {`vars: { image: !terraform.state network acme-ue2-dev vpc }`, []string{"vars.image"}, []inventory.Name{network}},
		"a part of it":                  {`vars: { image: !terraform.output network acme-ue2-dev vpc.name }`, []string{"vars.image"}, []inventory.Name{network}},
		"in a list and in a mapping":    {`vars: { image: x, more: [{ a: 1 }, { id: !terraform.output network vpc }], deep: { er: !terraform.output network vpc } }`, []string{"vars.deep.er", "vars.more[1].id"}, []inventory.Name{network}},
		"in the environment":            {`env: { VPC: !terraform.output network vpc }`, []string{"env.VPC"}, []inventory.Name{network}},
		"in a provider":                 {`providers: { aws: { region: !terraform.output network region } }`, []string{"providers.aws.region"}, []inventory.Name{network}},
		"in the backend":                {`backend: { local: { workspace_dir: !terraform.state network dir } }`, []string{"backend.workspace_dir"}, []inventory.Name{network}},
		"by a template":                 {`vars: { image: "a-{{ .vars.nothing }}" }`, []string{"vars.image"}, nil},
		"by a template of outputs":      {`vars: { image: '{{ (atmos.Component "network" .stack).outputs.vpc }}' }`, []string{"vars.image"}, []inventory.Name{network}},
		"an environment variable":       {`vars: { image: !env NO_SUCH_VARIABLE }`, []string{"vars.image"}, nil},
		"a default for another":         {`vars: { image: !terraform.output network vpc, other: !terraform.output network ".vpc // null" }`, []string{"vars.image"}, []inventory.Name{network}},
		"a command that fails":          {`vars: { image: !exec exit 3 }`, []string{"vars.image"}, nil},
		"a component that is not there": {`vars: { image: !terraform.output nope vpc }`, []string{"vars.image"}, []inventory.Name{{Component: "nope", Stack: "acme-ue2-dev"}}},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, version string) {
				t.Parallel()
				p := newProject(t, dir, version)
				p.edit("atmos.yaml", "integrations:", "templates: { settings: { enabled: true } }\nintegrations:")
				_, err := p.resolve(c.manifest)
				var unresolved *atmos.UnresolvedError
				if !errors.As(err, &unresolved) || problem.CodeOf(err) != problem.Unresolved {
					t.Fatalf("error %v", err)
				}
				var at []string
				for _, v := range unresolved.Values {
					at = append(at, v.At)
				}
				if diff := cmp.Diff(c.at, at); diff != "" {
					t.Errorf("values (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.reads, unresolved.Reads()); diff != "" {
					t.Errorf("reads (-want +got):\n%s", diff)
				}
				for _, n := range c.reads {
					if !strings.Contains(err.Error(), "apply "+n.String()+" first") {
						t.Errorf("error %v", err)
					}
				}
			})
		})
	}
}

func TestAValueThatIsThereIsKept(t *testing.T) {
	t.Parallel()
	dir := fakerunner.Atmos(t, "../../..")
	for name, c := range map[string]struct{ manifest, want string }{
		"an output":           {`vars: { image: !terraform.output network vpc.name }`, `"main"`},
		"a state":             {`vars: { image: !terraform.state network vpc.name }`, `"main"`},
		"a default":           {`vars: { image: !terraform.output network ".nope // ""none""" }`, `"none"`},
		"a default of null":   {`vars: { image: !terraform.output network ".nope // null" }`, `null`},
		"and of a state":      {`vars: { image: !terraform.state network ".nope // null" }`, `null`},
		"an empty list":       {`vars: { image: !terraform.output network none }`, `[]`},
		"false":               {`vars: { image: !terraform.output network off }`, `false`},
		"null in a mapping":   {`vars: { image: !terraform.output network some }`, `{"of":null}`},
		"a variable's own":    {`vars: { image: !env NO_SUCH_VARIABLE else }`, `"else"`},
		"null as it is":       {`vars: { image: null }`, `null`},
		"a text that is none": {`vars: { image: "!important" }`, `"!important"`},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, version string) {
				t.Parallel()
				p := newProject(t, dir, version)
				p.applied(`"vpc": {"value": {"name": "main"}, "type": ["object", {"name": "string"}]}, "off": {"value": false, "type": "bool"},
					"none": {"value": [], "type": ["tuple", []]}, "some": {"value": {"of": null}, "type": ["object", {"of": "string"}]}`)
				resolved, err := p.resolve(c.manifest)
				if err != nil {
					t.Fatal(err)
				}
				var got strings.Builder
				for _, r := range string(resolved.Atmos.Vars["image"]) {
					if r != ' ' && r != '\n' {
						got.WriteRune(r)
					}
				}
				if got.String() != c.want {
					t.Errorf("%s, want %s", got.String(), c.want)
				}
			})
		})
	}
}

// The digest is over what Git says: the same before and after an apply of what is read.
func TestAnApplyOfWhatIsReadIsNoChangeOfConfiguration(t *testing.T) {
	t.Parallel()
	const function, template = "!terraform.output network vpc.name", `'{{ (atmos.Component "network" .stack).outputs.vpc.name }}'`
	for _, value := range []string{function, template} {
		onEach(t, func(t *testing.T, version string) {
			t.Parallel()
			p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
			p.edit("atmos.yaml", "integrations:", "templates: { settings: { enabled: true } }\nintegrations:")
			p.edit("stacks/catalog/service.yaml", `image: "registry.example/app:1.0"`, "image: "+value)
			p.track()
			before := p.configuration("service/api", "acme-ue2-dev")
			for i := range 2 {
				p.applied(fmt.Sprintf(`"vpc": {"value": {"name": "%d"}, "type": ["object", {"name": "string"}]}`, i))
				if diff := cmp.Diff(before, p.configuration("service/api", "acme-ue2-dev"), cmpopts.IgnoreUnexported(before)); diff != "" {
					t.Error(diff)
				}
			}
			if on := p.target("service/api", "acme-ue2-dev").DependsOn; len(on) != 1 || on[0].Component != "network" {
				t.Errorf("depends on %v", on)
			}
			p.edit("stacks/catalog/service.yaml", "vpc.name", "vpc.id")
			if diff := cmp.Diff([]string{"changed: vars"}, p.configuration("service/api", "acme-ue2-dev").Diff(before.Files)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// https://github.com/cloudposse/atmos/issues/2654
func TestADisabledComponentThatReadsNothingIsNoError(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		p.edit("stacks/catalog/service.yaml", "    service/worker:\n", "    service/off:\n      metadata: { component: service, inherits: [service/defaults], enabled: false }\n      vars: { image: !terraform.state nowhere vpc }\n    service/worker:\n")
		if got := dependencies(t, p.Project); len(got) != 6 {
			t.Errorf("listed: %v", got)
		}
		if skip := p.target("service/off", "acme-ue2-dev").Atmos.Skip; skip != "metadata.enabled is false" {
			t.Errorf("skip: %q", skip)
		}
	})
}
