package atmos_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

func (p project) configuration(component, stack string) fingerprint.Configuration {
	p.t.Helper()
	c, err := fingerprint.Of(p.t.Context(), p.target(component, stack), "terraform", "1.11.4")
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// One checkout has run Atmos before, another lies elsewhere and is no repository.
func TestAtmosTargetHasOneDigestInAllCheckouts(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		dir := fakerunner.Atmos(t, "../../..")
		var configurations []fingerprint.Configuration
		for _, prepare := range []func(project){
			func(p project) { p.track() },
			func(project) {},
			func(p project) {
				for _, name := range []string{"backend.tf.json", "providers_override.tf.json", "acme-ue2-dev-network.terraform.tfvars.json", "acme-ue2-dev-network.planfile"} {
					p.write("components/terraform/network/"+name, "{}")
				}
			},
		} {
			p := newProject(t, dir, version)
			p.edit("stacks/catalog/network.yaml", "vars: {", "env: { TF_PLUGIN_CACHE_DIR: "+p.Root+"/cache }\n      vars: { template: "+p.Root+"/template,")
			prepare(p)
			configurations = append(configurations, p.configuration("network", "acme-ue2-dev"))
		}
		for _, c := range configurations[1:] {
			if diff := cmp.Diff(configurations[0], c, cmpopts.IgnoreUnexported(c)); diff != "" {
				t.Error(diff)
			}
		}
		if files := configurations[0].Files; files["components/terraform/network/main.tf"] == "" || files["(vars)"] == "" || files["(workspace)"] == "" {
			t.Errorf("only %v", files)
		}
	})
}

// scalar finds a key with a value that is neither mapping nor list.
var scalar = regexp.MustCompile(`([A-Za-z_/]+: )("[^"]*"|[^][{}," \n]+)`)

// Each value in the stacks is changed, one at a time: a target's digest is another
// exactly when what Atmos says of what reaches Terraform is, and the difference names that.
func TestAChangeInAStackIsSeenExactlyWhereItReachesTerraform(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		dir := fakerunner.Atmos(t, "../../..")
		enriched := func() project {
			p := newProject(t, dir, version)
			p.edit("stacks/catalog/service.yaml", "      vars: { image:", "      env: { ZONE: a, LEVEL: 1 }\n      command: terraform\n      vars: { image:")
			return p
		}
		original := enriched()
		type key struct{ component, stack string }
		targets := []key{{"network", "acme-ue2-dev"}, {"service/api", "acme-ue2-prod"}, {"service/worker", "acme-ue2-dev"}}
		said, before := map[key]map[string]any{}, map[key]fingerprint.Configuration{}
		for _, k := range targets {
			said[k], before[k] = original.said(k.component, k.stack), original.configuration(k.component, k.stack)
		}
		var reaching, other int
		for _, file := range []string{"stacks/catalog/network.yaml", "stacks/catalog/service.yaml", "stacks/orgs/acme/dev.yaml", "stacks/orgs/acme/prod.yaml"} {
			p := enriched()
			content := p.read(file)
			for _, at := range scalar.FindAllStringSubmatchIndex(content, -1) {
				value := content[at[4]:at[5]]
				changed := map[string]string{"true": "false", "false": "true"}[value]
				switch {
				case changed != "":
				case strings.HasSuffix(value, `"`):
					changed = value[:len(value)-1] + `1"`
				default:
					changed = value + "1"
				}
				p.write(file, content[:at[4]]+changed+content[at[5]:])
				for _, k := range targets {
					now := p.said(k.component, k.stack)
					resolved, err := p.Target(t.Context(), k.component, k.stack)
					if err != nil {
						continue // there is no such stack any more, or no such backend
					}
					after, err := fingerprint.Of(t.Context(), resolved, "terraform", "1.11.4")
					if err != nil {
						continue // there is no such module
					}
					want := differences(said[k], now)
					if diff := cmp.Diff(want, after.Diff(before[k].Files)); diff != "" {
						t.Errorf("%s: %s is %s: %v (-want +got):\n%s", file, content[at[2]:at[3]], changed, k, diff)
					}
					if (len(want) > 0) != (after.Digest != before[k].Digest) {
						t.Errorf("%s: %s is %s: %v has the digest %s", file, content[at[2]:at[3]], changed, k, after.Digest)
					}
					if len(want) > 0 {
						reaching++
					} else {
						other++
					}
				}
			}
		}
		if reaching < 10 || other < 30 {
			t.Errorf("only %d changes that reach Terraform, and %d others", reaching, other)
		}
	})
}

// said is what Atmos says of a target that reaches Terraform; nil when it can't.
func (p project) said(component, stack string) map[string]any {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), p.Path, "describe", "component", component, "-s", stack, "--format", "json", "--query", ".")
	cmd.Dir, cmd.Env = p.Root, p.Env
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	var all map[string]any
	if err := json.Unmarshal(out, &all); err != nil {
		p.t.Fatal(err)
	}
	said := map[string]any{}
	for _, name := range []string{"vars", "env", "backend", "backend_type", "providers", "command", "component", "workspace"} {
		said[strings.ReplaceAll(name, "_", " ")] = all[name]
	}
	return said
}

func differences(before, now map[string]any) (list []string) {
	for name := range before {
		if !reflect.DeepEqual(before[name], now[name]) {
			list = append(list, "changed: "+name)
		}
	}
	slices.Sort(list)
	return list
}

func TestEditsOfAnAtmosProject(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		dir := fakerunner.Atmos(t, "../../..")
		const (
			catalog = "stacks/catalog/network.yaml"
			stack   = "stacks/orgs/acme/dev.yaml"
		)
		add := func(section string) func(project) {
			return func(p project) { p.edit(catalog, "vars:", section+"\n      vars:") }
		}
		for _, test := range []struct {
			name string
			edit func(project)
			want []string
		}{
			{"a variable", func(p project) { p.edit(stack, "10.1.0.0", "10.8.0.0") }, []string{"changed: vars"}},
			{"a variable of all components", func(p project) { p.edit(stack, "stage: dev", "stage: dev, owner: us") }, []string{"changed: vars"}},
			{"its type", func(p project) { p.edit(stack, "10.1.0.0/16", "[10.1.0.0/16]") }, []string{"changed: vars"}},
			{"the environment", add("env: { ZONE: a }"), []string{"changed: env"}},
			{"the backend", func(p project) { p.edit(stack, "../state", "../other") }, []string{"changed: backend"}},
			{"another backend", add("backend_type: http"), []string{"changed: backend type", "changed: backend", "changed: workspace"}},
			{"the program", add("command: tofu"), []string{"changed: command"}},
			{"a provider", add("providers: { aws: { region: us-east-2 } }"), []string{"changed: providers"}},
			{"the workspace", add("metadata: { terraform_workspace: another }"), []string{"changed: workspace"}},
			{"the module", func(p project) { p.edit("components/terraform/network/main.tf", "count = 2", "count = 3") }, []string{"changed: components/terraform/network/main.tf"}},

			{"a default that the stack overrides", func(p project) { p.edit(catalog, "10.0.0.0", "10.9.0.0") }, nil},
			{"the order of imports", func(p project) {
				p.edit(stack, "[catalog/network, catalog/service]", "[catalog/service, catalog/network]")
			}, nil},
			{"where a variable is set", func(p project) {
				p.edit(stack, "      vars: { cidr: 10.1.0.0/16 }", "      env: {}")
				p.edit(catalog, "10.0.0.0", "10.1.0.0")
			}, nil},
			{"a comment", func(p project) { p.edit(stack, "components:", "# All that we have.\ncomponents:") }, nil},
			{"another target", func(p project) { p.edit("stacks/catalog/service.yaml", "replicas: 2", "replicas: 3") }, nil},
			{"another stack", func(p project) { p.edit("stacks/orgs/acme/prod.yaml", "10.2.0.0", "10.7.0.0") }, nil},
			{"another module", func(p project) {
				p.edit("components/terraform/service/main.tf", "replicas = var", "replicas = 2 * var")
			}, nil},
			{"settings of a platform", func(p project) {
				p.edit(catalog, "settings: {", "settings: { spacelift: { workspace_enabled: true },")
			}, nil},
			{"a description", add(`metadata: { description: "Where all begins", custom: { owner: us } }`), nil},
			{"a lock", add("metadata: { locked: true }"), nil},
			{"a role of the actions", func(p project) { p.edit("atmos.yaml", "acme-gitops-planner", "acme-planner") }, nil},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				p := newProject(t, dir, version)
				p.track()
				before := p.configuration("network", "acme-ue2-dev")
				test.edit(p)
				after := p.configuration("network", "acme-ue2-dev")
				if diff := cmp.Diff(test.want, after.Diff(before.Files)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if (test.want != nil) != (after.Digest != before.Digest) {
					t.Errorf("digest %s, before %s", after.Digest, before.Digest)
				}
			})
		}
	})
}

// What a component reads outside of its folder counts as for any other target. What
// Atmos generates in folders of other components does not.
func TestAFileOutsideOfAnAtmosComponentCounts(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		if err := os.Mkdir(filepath.Join(p.Root, "scripts"), 0o755); err != nil {
			t.Fatal(err)
		}
		p.write("scripts/setup.sh", "echo one")
		p.write("components/terraform/network/setup.tf", "locals {\n  script = file(\"${path.module}/../../../scripts/setup.sh\")\n  others = fileset(\"${path.module}/..\", \"*/main.tf\")\n}\n")
		p.track()
		before := p.configuration("network", "acme-ue2-dev")
		p.write("components/terraform/service/backend.tf.json", "{}")
		p.track()
		if diff := cmp.Diff(before, p.configuration("network", "acme-ue2-dev"), cmpopts.IgnoreUnexported(before)); diff != "" {
			t.Error(diff)
		}
		p.write("scripts/setup.sh", "echo two")
		p.edit("components/terraform/service/main.tf", "replicas = var", "replicas = 2 * var")
		want := []string{"changed: components/terraform/", "changed: scripts/setup.sh"}
		if diff := cmp.Diff(want, p.configuration("network", "acme-ue2-dev").Diff(before.Files)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestARootModuleOutsideOfTheCheckoutIsRefused(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		outside := filepath.Join(filepath.Dir(p.Root), "components")
		if err := os.Rename(filepath.Join(p.Root, "components"), outside); err != nil {
			t.Fatal(err)
		}
		p.edit("atmos.yaml", "base_path: components/terraform", "base_path: ../components/terraform")
		if _, err := p.Target(t.Context(), "network", "acme-ue2-dev"); err == nil || !strings.Contains(err.Error(), "which is outside the checkout") {
			t.Errorf("error %v", err)
		}
	})
}
