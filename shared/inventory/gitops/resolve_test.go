package gitops

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

func TestATargetIsMergedFromItsLayers(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	gittest.Write(t, root, map[string]string{
		"gitops.yaml": `
terraform-version: "~> 1.11"
artifact-storage: {region: r, bucket: b, table: t, role: storage, url: u}
audience: aud
role: {plan: p, apply: a}
path: live/{stack}/{component}
workspace: top
var-files: ["/common.tfvars"]
backend-config: ["bucket=top", "/backend/{stack}.tfbackend"]
env: {A: top, B: top, C: "top {stack}"}
components:
  network:
    path: infra/{component}
    workspace: ""
    var-files: ["{stack}.tfvars", "../{component}.tfvars"]
    backend-config: ["key={component}/{stack}"]
    env: {C: "component {component}"}
    depends-on: [dns, base]
  base: {stacks: [dev]}
  dns: {stacks: [prod]}
stacks:
  dev:
    workspace: stack
    var-files: ["/stacks/{stack}.tfvars"]
    backend-config: ["region=stack"]
    env: {B: stack}
    role: {plan: p-dev}
    artifact-storage: {bucket: b-dev, url: "", role: {plan: storage-dev}}
  prod:
`,
		"common.tfvars": "", "stacks/dev.tfvars": "", "infra/network/dev.tfvars": "", "infra/network.tfvars": "", "backend/dev.tfbackend": "",
		"infra/network/main.tf": "", "live/dev/base/main.tf.json": "{}",
	})
	c, err := Load(t.Context(), root, "gitops.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Target("network", "dev")
	if err != nil {
		t.Fatal(err)
	}
	want := inventory.Target{
		Component: "network", Stack: "dev", Root: root, Dir: "infra/network", Workspace: "",
		VarFiles:      []string{"common.tfvars", "stacks/dev.tfvars", "infra/network/dev.tfvars", "infra/network.tfvars"},
		BackendConfig: []string{"bucket=top", "backend/dev.tfbackend", "region=stack", "key=network/dev"},
		Env:           map[string]string{"A": "top", "B": "stack", "C": "component network"},
		DependsOn:     []inventory.Name{{Component: "base", Stack: "dev"}}, // dns is not in dev
		Given: map[string]bool{
			"common.tfvars": true, "stacks/dev.tfvars": true, "infra/network/dev.tfvars": true, "infra/network/prod.tfvars": true, "infra/network.tfvars": true,
			"backend/dev.tfbackend": true, "backend/prod.tfbackend": true,
		},
		Settings: inventory.Settings{
			TerraformVersion: "~> 1.11", Region: "r", Bucket: "b-dev", Table: "t", StorageURL: "",
			PlanStorageRole: "storage-dev", ApplyStorageRole: "storage", DriftStorageRole: "storage",
			PlanRole: "p-dev", ApplyRole: "a", Audience: "aud",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.String() != "network in dev" {
		t.Error(got)
	}
	if got, err = c.Target("base", "dev"); err != nil || got.Dir != "live/dev/base" || got.Workspace != "stack" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhatIsNearerToATargetBeatsWhatIsFurther(t *testing.T) {
	t.Parallel()
	const pool = "projects/1/locations/global/workloadIdentityPools/pool/providers/"
	c, err := load(t, `
path: "{stack}/{component}"
role: {plan: top, apply: top}
environment: "{stack}"
google: {plan: {workload-identity-provider: `+pool+`github}}
components:
  plain:
  own:
    role: {plan: component}
    environment: component
    google: {plan: {service-account: a@acme.iam.gserviceaccount.com}}
    stacks:
      dev: {role: {plan: both}, environment: "{component}-{stack}", workspace: w, env: {A: b}}
      "*": {role: {apply: rest}}
  listed: {stacks: ["*"]}
  narrow: {stacks: {prod: }}
stacks:
  dev: {role: {plan: stack, apply: stack}}
  prod: {google: {plan: {workload-identity-provider: `+pool+`prod}}}
  stage:
`)
	if err != nil {
		t.Fatal(err)
	}
	type is struct{ plan, apply, environment, google, account string }
	got := map[string]is{}
	for _, l := range c.Targets() {
		s := l.Settings
		got[l.Name().String()] = is{s.PlanRole, s.ApplyRole, s.Environment, strings.TrimPrefix(s.PlanClouds.Google.WorkloadIdentityProvider, pool), s.PlanClouds.Google.ServiceAccount}
	}
	want := map[string]is{
		"plain in dev": {"stack", "stack", "dev", "github", ""}, "plain in prod": {"top", "top", "prod", "prod", ""}, "plain in stage": {"top", "top", "stage", "github", ""},
		"listed in dev": {"stack", "stack", "dev", "github", ""}, "listed in prod": {"top", "top", "prod", "prod", ""}, "listed in stage": {"top", "top", "stage", "github", ""},
		"narrow in prod": {"top", "top", "prod", "prod", ""},
		"own in dev":     {"both", "stack", "own-dev", "github", "a@acme.iam.gserviceaccount.com"},
		"own in prod":    {"component", "rest", "component", "prod", "a@acme.iam.gserviceaccount.com"},
		"own in stage":   {"component", "rest", "component", "github", "a@acme.iam.gserviceaccount.com"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(is{})); diff != "" {
		t.Error(diff)
	}
	if one, err := c.resolver("own", "dev").target(); err != nil || one.Workspace != "w" || one.Env["A"] != "b" {
		t.Errorf("%+v, %v", one, err)
	}
}

func TestDependenciesOfOtherStacks(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
path: "{stack}/{component}"
components:
  network: {depends-on: [hub/network]}
  app: {depends-on: [network, only, hub/dns], stacks: {dev: , prod: {destroy: true}}}
  dns: {stacks: [hub]}
  only: {stacks: [dev]}
stacks: {dev: , prod: , hub: }
`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, l := range c.Targets() {
		got[l.Name().String()] = []string{}
		for _, on := range l.DependsOn {
			got[l.Name().String()] = append(got[l.Name().String()], on.String())
		}
		if l.Destroy != (l.Name() == inventory.Name{Component: "app", Stack: "prod"}) {
			t.Errorf("destroy of %s: %v", l.Name(), l.Destroy)
		}
		if target, err := c.resolver(l.Component, l.Stack).target(); err != nil || target.Destroy != l.Destroy || !slices.Equal(target.DependsOn, l.DependsOn) {
			t.Errorf("%+v, %v", target, err)
		}
	}
	want := map[string][]string{
		"network in hub": {}, "network in dev": {"network in hub"}, "network in prod": {"network in hub"}, "dns in hub": {}, "only in dev": {},
		"app in dev": {"dns in hub", "network in dev", "only in dev"}, "app in prod": {"dns in hub", "network in prod"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestANameIsNotATemplate(t *testing.T) {
	t.Parallel()
	c, err := load(t, "workspace: '{component}'\npath: x\ncomponents: {'{stack}': }\nstacks: {'{component}': }")
	if err != nil {
		t.Fatal(err)
	}
	r := c.resolver("{stack}", "{component}")
	if got, err := r.target(); err != nil || got.Workspace != "{stack}" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnUnknownTargetNamesTheChoices(t *testing.T) {
	t.Parallel()
	c, err := load(t, "workspace: '{stack}'\ncomponents: {network: , dns: {stacks: [prod]}}\nstacks: {dev: , prod: , stage: }")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ component, stack, want string }{
		{"netwrk", "dev", "unknown target: gitops.yaml has no component `netwrk`: did you mean `network`? Or choose from `dns`, `network`"},
		{"", "dev", "unknown target: gitops.yaml has no component ``: choose from `dns`, `network`"},
		{"Network", "dev", "did you mean `network`?"},
		{"network", "prd", "unknown target: gitops.yaml has no stack `prd`: did you mean `prod`? Or choose from `dev`, `prod`, `stage`"},
		{"dns", "dev", "unknown target: gitops.yaml has component `dns` not in stack `dev`: choose from `prod`"},
		{"a\nb", "dev", `no component "a\nb"`},
		{strings.Repeat("x", 10_000), "dev", "no component `xxx"},
	} {
		_, err := c.Target(x.component, x.stack)
		if !errors.Is(err, inventory.ErrUnknownTarget) || !strings.Contains(err.Error(), x.want) || len(err.Error()) > 500 {
			t.Errorf("got  %v\nwant %s", err, x.want)
		}
	}
}

func TestWhatATargetNamesMustBeThere(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	gittest.Write(t, outside, map[string]string{"m/main.tf": "", "x.tfvars": ""})
	for name, x := range map[string]struct {
		yaml  string
		files map[string]string
		links map[string]string
		want  string // empty: fine
	}{
		"folder missing": {
			yaml: "components:\n  a:\nstacks: {dev: }",
			want: "gitops.yaml:2:3: the root module folder of a in dev, `components/a`, can't be used (add it, or set `path`): no such file or directory",
		},
		"folder missing, path given": {
			yaml: "components:\n  a: {path: 'x/{stack}'}\nstacks: {dev: }",
			want: "gitops.yaml:2:13: the root module folder of a in dev, `x/dev`, can't be used",
		},
		"folder is a file": {
			yaml: "components: {a: {path: x}}\nstacks: {dev: }", files: map[string]string{"x": ""},
			want: "it is not a folder",
		},
		"no Terraform files": {
			yaml: "components: {a: }\nstacks: {dev: }", files: map[string]string{"components/a/README.md": "", "components/a/modules/x/main.tf": ""},
			want: "gitops.yaml:1:14: the root module folder of a in dev, `components/a`, has no Terraform files (.tf, .tf.json, .tofu)",
		},
		"only OpenTofu files": {
			yaml: "components: {a: }\nstacks: {dev: }", files: map[string]string{"components/a/main.tofu": ""},
		},
		"the root itself": {
			yaml: "components: {a: {path: /}}\nstacks: {dev: }", files: map[string]string{"main.tf": ""},
		},
		"var file missing": {
			yaml: "components: {a: {var-files: ['{stack}.tfvars']}}\nstacks: {dev: }", files: map[string]string{"components/a/main.tf": ""},
			want: "gitops.yaml:1:30: the var file of a in dev, `components/a/dev.tfvars`, can't be used (add it, or correct the list): no such file or directory",
		},
		"var file is a folder": {
			yaml: "components: {a: {var-files: [/components]}}\nstacks: {dev: }", files: map[string]string{"components/a/main.tf": ""},
			want: "it is not a regular file",
		},
		"backend file missing": {
			yaml: "components: {a: }\nstacks: {dev: {backend-config: [a=b, x.tfbackend]}}", files: map[string]string{"components/a/main.tf": ""},
			want: "gitops.yaml:2:38: the backend-config file of a in dev, `components/a/x.tfbackend`, can't be used",
		},
		"workspace Terraform refuses": {
			yaml: "components: {a: {path: x, workspace: 'a/{stack}'}}\nstacks: {dev: }", files: map[string]string{"x/main.tf": ""},
			want: "gitops.yaml:1:38: the workspace of a in dev, `a/dev`, has characters that Terraform does not allow",
		},
		"folder linked inside": {
			yaml: "components: {a: }\nstacks: {dev: }", files: map[string]string{"m/main.tf": ""}, links: map[string]string{"components/a": "../m"},
		},
		"folder linked out": {
			yaml: "components: {a: }\nstacks: {dev: }", links: map[string]string{"components/a": filepath.Join(outside, "m")},
			want: "`components/a`, can't be used (add it, or set `path`): it lies outside the checkout",
		},
		"folder above linked out": {
			yaml: "components: {m: }\nstacks: {dev: }", links: map[string]string{"components": outside},
			want: "it lies outside the checkout",
		},
		"var file linked out": {
			yaml: "components: {a: {var-files: [x.tfvars]}}\nstacks: {dev: }", files: map[string]string{"components/a/main.tf": ""},
			links: map[string]string{"components/a/x.tfvars": filepath.Join(outside, "x.tfvars")},
			want:  "it lies outside the checkout",
		},
		"link to itself": {
			yaml: "components: {a: }\nstacks: {dev: }", links: map[string]string{"components/a": "a"},
			want: "can't be used",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			gittest.Write(t, root, x.files)
			gittest.Write(t, root, map[string]string{"gitops.yaml": x.yaml})
			for link, to := range x.links {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(root, link)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
					t.Fatal(err)
				}
			}
			c, err := Load(t.Context(), root, "gitops.yaml", nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Target(c.componentNames()[0], "dev")
			if x.want == "" {
				if err != nil || got.Dir == "" {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), root) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, x.want)
			}
			if diff := cmp.Diff(inventory.Target{}, got); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(x.want, "no such file") && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v does not wrap fs.ErrNotExist", err)
			}
		})
	}
}

func TestACheckoutMayBeReachedByALink(t *testing.T) {
	t.Parallel()
	root, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	gittest.Write(t, root, map[string]string{"gitops.yaml": "components: {a: }\nstacks: {dev: }", "components/a/main.tf": ""})
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	c, err := Load(t.Context(), link, "gitops.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Target("a", "dev"); err != nil || got.Root != link {
		t.Errorf("%+v, %v", got, err)
	}
}
