package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDescribeAffectedComparesCommitsAndSettings(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		for _, test := range []struct {
			name string
			edit func(w *world)
			want map[string]string // reasons by slug
		}{
			{"nothing", func(*world) {}, map[string]string{}},
			{
				"settings",
				func(w *world) {
					w.edit("stacks/catalog/network.yaml", "actions_enabled: true", "actions_enabled: false")
				},
				map[string]string{dev + "-network": "stack.settings", prod + "-network": "stack.settings"},
			},
			{
				"env and metadata of one stack",
				func(w *world) {
					w.edit("stacks/orgs/acme/dev.yaml", "    network:\n", "    network:\n      env: { A: b }\n      metadata: { locked: true }\n")
				},
				map[string]string{dev + "-network": "stack.metadata stack.env"},
			},
			{
				"a local module",
				func(w *world) { w.write("modules/subnet/main.tf", "# changed\n") },
				map[string]string{dev + "-network": "component.module", prod + "-network": "component.module"},
			},
			{
				"a new component, and one that is disabled",
				func(w *world) {
					w.edit("stacks/orgs/acme/dev.yaml", "    network:\n", "    dns: { metadata: { component: network } }\n    network:\n      metadata: { enabled: false }\n")
				},
				map[string]string{dev + "-dns": "stack.metadata stack.vars stack.env stack.settings"},
			},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				base := newWorld(t, version)
				base.write("modules/subnet/main.tf", "")
				base.write("components/terraform/network/subnet.tf", "module \"subnet\" {\n  source = \"../../../modules/subnet\"\n}\n")
				base.commit()
				branch := base.branch()
				base.git("remote", "add", "origin", "https://github.com/acme/infrastructure")
				test.edit(branch)
				branch.commit()
				// This is in no commit.
				branch.write("components/terraform/service/draft.tf", "")

				r := branch.atmos(nil, "describe", "affected", "--format", "json", "--repo-path", base.dir)
				var list []affected
				if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
					t.Fatalf("%v\n%s", err, r.stderr)
				}
				got := map[string]string{}
				for _, a := range list {
					got[a.StackSlug] = strings.Join(a.AffectedAll, " ")
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	})
}
