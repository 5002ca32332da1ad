package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	dev  = "acme-ue2-dev"
	prod = "acme-ue2-prod"
)

// describe is a component's description.
func (w *world) describe(component, stack string) section {
	w.t.Helper()
	return w.json("describe", "component", component, "-s", stack, "--format=json", "--query", ".")
}

func (w *world) json(args ...string) section {
	w.t.Helper()
	r := w.atmos(nil, args...)
	var value section
	if err := json.Unmarshal([]byte(r.stdout), &value); err != nil {
		w.t.Fatalf("atmos %s: %v\n%s", strings.Join(args, " "), err, r.stderr)
	}
	return value
}

func TestDescribeComponentFollowsTheProject(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		for _, test := range []struct {
			name             string
			edit             func(w *world)
			component, stack string
			path             []string
			want             any
		}{
			{
				"a default of _defaults.yaml, which is no stack",
				func(w *world) {
					w.write("stacks/orgs/acme/_defaults.yaml", "terraform: { vars: { region: us-east-2 } }\n")
					w.edit("atmos.yaml", `included_paths: ["orgs/**/*"]`, "included_paths: [\"orgs/**/*\"]\n  excluded_paths: [\"**/_defaults\"]")
					w.edit("stacks/orgs/acme/dev.yaml", "import: [", "import: [orgs/acme/_defaults, ")
				},
				"network", dev,
				[]string{"vars"}, section{"cidr": "10.1.0.0/16", "environment": "ue2", "region": "us-east-2", "stage": "dev", "tenant": "acme"},
			},
			{
				"the base component's default",
				func(w *world) { w.edit("stacks/catalog/service.yaml", "replicas: 2", "replicas: 3") },
				"service/api", dev,
				[]string{"vars", "replicas"}, 3.0,
			},
			{
				"the last of two base components",
				func(w *world) {
					w.edit("stacks/catalog/service.yaml", "    service/api:\n      metadata: { component: service, inherits: [service/defaults] }",
						"    service/api:\n      metadata: { component: service, inherits: [service/defaults, service/worker] }")
				},
				"service/api", dev,
				[]string{"vars", "replicas"}, 1.0,
			},
			{
				"a new component, in a module of its own name",
				func(w *world) {
					w.write("components/terraform/dns/main.tf", "")
					w.edit("stacks/orgs/acme/dev.yaml", "    network:\n", "    dns: { env: { ZONE: a } }\n    network:\n")
				},
				"dns", dev,
				[]string{"env", "ZONE"}, "a",
			},
			{
				"actions_enabled",
				func(w *world) {
					w.edit("stacks/catalog/network.yaml", "actions_enabled: true", "actions_enabled: false")
				},
				"network", prod,
				[]string{"settings", "github", "actions_enabled"}, false,
			},
			{
				"the stack's gitops settings over atmos.yaml's",
				func(*world) {},
				"service/api", prod,
				[]string{"settings", "integrations", "github", "gitops", "role"},
				section{"apply": "arn:aws:iam::222222222222:role/acme-gitops-applier", "plan": "arn:aws:iam::111111111111:role/acme-gitops-planner"},
			},
			{
				"another command",
				func(w *world) {
					w.edit("stacks/orgs/acme/prod.yaml", "terraform:\n  backend", "terraform:\n  command: tofu\n  backend")
				},
				"network", prod,
				[]string{"command"}, "tofu",
			},
			{
				"a workspace of its own",
				func(w *world) {
					w.edit("stacks/catalog/network.yaml", "network:\n", "network:\n      metadata: { terraform_workspace: old/name }\n")
				},
				"network", prod,
				[]string{"workspace"}, "old-name",
			},
			{
				"a workspace by pattern",
				func(w *world) {
					w.edit("stacks/catalog/network.yaml", "network:\n", "network:\n      metadata: { terraform_workspace_pattern: \"{stage}-{component}\" }\n")
				},
				"network", prod,
				[]string{"workspace"}, "prod-network",
			},
			{
				"no workspace for the http backend",
				func(w *world) {
					w.edit("stacks/orgs/acme/dev.yaml", "backend_type: local\n  backend: { local: { workspace_dir: ../../../state } }",
						"backend_type: http\n  backend: { http: { address: \"http://localhost\" } }")
				},
				"service/api", dev,
				[]string{"workspace"}, "default",
			},
			{
				"a key prefix for the s3 backend",
				func(w *world) {
					w.edit("stacks/orgs/acme/dev.yaml", "backend_type: local\n  backend: { local: { workspace_dir: ../../../state } }",
						"backend_type: s3\n  backend: { s3: { bucket: states } }")
				},
				"service/api", dev,
				[]string{"backend"}, section{"bucket": "states", "workspace_key_prefix": "service"},
			},
			{
				"the manifests that the final values are from",
				func(w *world) {
					w.edit("stacks/orgs/acme/dev.yaml", "    network:\n", "    network:\n      settings: { github: { actions_enabled: true } }\n")
				},
				"network", dev,
				[]string{"deps"}, []any{"orgs/acme/dev"},
			},
			{
				"no reading of a module that is not the sample's",
				func(w *world) { w.edit("components/terraform/network/main.tf", "count = 2", "count = 3") },
				"network", dev,
				[]string{"component_info", "terraform_config"}, nil,
			},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, version)
				test.edit(w)
				last := len(test.path) - 1
				got := at(w.describe(test.component, test.stack), test.path[:last]...)[test.path[last]]
				if real && test.want == nil {
					return
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("%v (-want +got):\n%s", test.path, diff)
				}
			})
		}
	})
}

func TestDescribeStacksListsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, version)
		stacks := w.json("describe", "stacks", "--format", "json", "--stack", prod, "--components=service/api,service/worker", "--sections", "workspace")
		// This is not the workspace that describe component prints, which is the one in use.
		of := section{"workspace": prod}
		want := section{prod: section{"components": section{"terraform": section{"service/api": of, "service/worker": of}}}}
		if diff := cmp.Diff(want, stacks); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := w.describe("service/api", prod)["workspace"]; got != prod+"-service-api" {
			t.Errorf("describe component: workspace %v", got)
		}
	})
}

func TestVersionIsThatOfTheRecordings(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, version)
		got := w.json("version", "--format", "json")["version"]
		if !real && got != version {
			t.Errorf("version %v", got)
		}
		if r := w.atmos(nil, "version"); !strings.Contains(r.stdout, fmt.Sprintf("Atmos %s on ", got)) {
			t.Errorf("stdout:\n%s", r.stdout)
		}
	})
}
