package atmos_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// commit makes the project a repository with one commit of all files.
func TestWhatIsDestroyedWaitsForWhatDependsOnIt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		p.edit("stacks/orgs/acme/dev.yaml", "    network:\n", "    network:\n      settings: { integrations: { github: { gitops: { destroy: true } } } }\n")
		stacks, err := p.Stacks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range stacks.Targets() {
			destroy, want := l.Name() == inventory.Name{Component: "network", Stack: "acme-ue2-dev"}, 0
			switch {
			case destroy:
				want = 2
			case l.Component != "network" && l.Stack == "acme-ue2-prod":
				want = 1
			}
			if l.Destroy != destroy || len(l.DependsOn) != want {
				t.Errorf("%+v", l)
			}
		}
		if one := p.target("network", "acme-ue2-dev"); !one.Destroy || !one.Atmos.DependsElsewhere {
			t.Errorf("%+v", one)
		}
	})
}

func (p project) commit() {
	p.t.Helper()
	p.track()
	cmd := exec.CommandContext(p.t.Context(), "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "x")
	cmd.Dir = p.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("git commit: %v\n%s", err, out)
	}
}

// affected lists what differs from the sample, a target a line.
func (p project) affected(base project, dependents bool) string {
	p.t.Helper()
	stacks, err := p.Stacks(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	changes, _, err := p.Affected(p.t.Context(), base.Root, stacks)
	if err != nil {
		p.t.Fatal(err)
	}
	if dependents {
		changes = inventory.WithDependents(changes, stacks.Targets())
	}
	var lines strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&lines, "%s: %s", c.Name, strings.Join(c.Why, ", "))
		if c.Deleted {
			lines.WriteString(" (deleted)")
		}
		lines.WriteString("\n")
	}
	return lines.String()
}

func TestAtmosSaysWhatIsAffected(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		dir := fakerunner.Atmos(t, "../../..")
		base := newProject(t, dir, version)
		base.commit()
		for name, c := range map[string]struct {
			edit       func(project)
			dependents bool
			want       string
		}{
			"nothing": {func(project) {}, true, ""},
			// As recorded. The actions of service/legacy are off.
			"code and variables": {func(p project) {
				p.write("components/terraform/network/more.tf", "# more\n")
				p.edit("stacks/catalog/service.yaml", "replicas: 2", "replicas: 3")
			}, false, `
network in acme-ue2-dev: added: components/terraform/network/more.tf
network in acme-ue2-prod: added: components/terraform/network/more.tf
service/api in acme-ue2-dev: changed: vars
`},
			// Its workspace has its name, and so its state is another one,
			"another name": {func(p project) {
				p.edit("stacks/catalog/service.yaml", "service/worker", "service/other")
			}, false, `
service/other in acme-ue2-dev: new
service/other in acme-ue2-prod: new
service/worker in acme-ue2-dev: deleted (deleted)
service/worker in acme-ue2-prod: deleted (deleted)
`},
			// but where the workspace is given.
			"another name for a state": {func(p project) {
				p.edit("stacks/orgs/acme/dev.yaml", "    network:\n", "    service/other:\n      metadata: { component: service, inherits: [service/defaults], terraform_workspace: acme-ue2-dev-service-worker }\n    network:\n")
				p.edit("stacks/catalog/service.yaml", "service/worker", "service/mine")
			}, false, `
service/mine in acme-ue2-dev: new
service/mine in acme-ue2-prod: new
service/other in acme-ue2-dev: renamed from service/worker in acme-ue2-dev
service/worker in acme-ue2-prod: deleted (deleted)
`},
			"and their dependents": {func(p project) {
				p.write("components/terraform/network/more.tf", "# more\n")
				p.edit("stacks/catalog/service.yaml", "replicas: 2", "replicas: 3")
			}, true, `
network in acme-ue2-dev: added: components/terraform/network/more.tf
network in acme-ue2-prod: added: components/terraform/network/more.tf
service/api in acme-ue2-dev: changed: vars
service/api in acme-ue2-prod: depends on network in acme-ue2-prod
service/worker in acme-ue2-dev: depends on network in acme-ue2-dev
service/worker in acme-ue2-prod: depends on network in acme-ue2-prod
`},
			"a component that goes, and one that is turned off": {func(p project) {
				p.edit("stacks/catalog/service.yaml", "    service/worker:", "    service/other:")
				p.edit("stacks/catalog/network.yaml", "actions_enabled: true", "actions_enabled: false")
			}, false, `
service/other in acme-ue2-dev: new
service/other in acme-ue2-prod: new
service/worker in acme-ue2-dev: deleted (deleted)
service/worker in acme-ue2-prod: deleted (deleted)
`},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				head := newProject(t, dir, version)
				c.edit(head)
				head.commit()
				if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), head.affected(base, c.dependents)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	})
}

// Where the base has no Atmos, it has no targets. Its atmos.yaml is looked for where
// the workspace has it, but not in the workspace.
func TestAtmosComparesWithABaseOfNoAtmos(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		head := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		head.Env = append(head.Env, "ATMOS_CLI_CONFIG_PATH="+head.Root)
		head.commit()
		base := project{t, atmos.Project{Root: t.TempDir()}}
		if got := head.affected(base, true); strings.Count(got, ": new\n") != 6 || strings.Count(got, "\n") != 6 {
			t.Errorf("not all new:\n%s", got)
		}
	})
}

// printing is an Atmos that prints what describe stacks would.
func printing(t *testing.T, stacks string) atmos.Project {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "atmos")
	const script = "#!/bin/sh\ncase $1 in version) echo '{\"version\": \"1.227.0\"}'; exit;; esac\necho \"$@\" >>calls\ncat stacks.json\n"
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "stacks.json"), []byte(complete(t, stacks)), 0o600), executable.Write(program, script)); err != nil {
		t.Fatal(err)
	}
	return atmos.Project{Path: program, Root: dir, Env: os.Environ()}
}

// complete adds to a list of stacks the members that each version of Atmos has.
func complete(t *testing.T, stacks string) string {
	t.Helper()
	var all map[string]map[string]map[string]map[string]map[string]any
	if err := json.Unmarshal([]byte(stacks), &all); err != nil {
		t.Fatal(err)
	}
	for _, stack := range all {
		for name, d := range stack["components"]["terraform"] {
			for member, value := range map[string]any{
				"component": name, "workspace": "w", "command": "terraform", "metadata": section{}, "env": section{}, "vars": section{},
				"backend": section{}, "backend_type": "local", "providers": section{}, "settings": section{},
			} {
				if _, is := d[member]; !is {
					d[member] = value
				}
			}
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type section = map[string]any

func dependencies(t *testing.T, a atmos.Project) map[string]string {
	t.Helper()
	stacks, err := a.Stacks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, l := range stacks.Targets() {
		var on []string
		for _, name := range l.DependsOn {
			on = append(on, name.String())
		}
		names[l.Name().String()] = strings.Join(on, ", ")
	}
	return names
}

func TestDependenciesOfAtmosTargets(t *testing.T) {
	t.Parallel()
	const enabled = `"github": {"actions_enabled": true}`
	const stacks = `{
		"acme-ue2-dev": {"components": {"terraform": {
			"net": {"vars": {"tenant": "acme", "environment": "ue2", "stage": "dev"}, "settings": {` + enabled + `}},
			"app": {"vars": {"tenant": "acme", "environment": "ue2", "stage": "dev"}, "settings": {` + enabled + `, "depends_on": %s}, "dependencies": %s}
		}}},
		"acme-ue2-prod": {"components": {"terraform": {
			"net": {"vars": {"tenant": "acme", "environment": "ue2", "stage": "prod"}, "settings": {` + enabled + `}}
		}}},
		"core-ue2-prod": {"components": {"terraform": {
			"net": {"vars": {"tenant": "core", "environment": "ue2", "stage": "prod", "namespace": 7}, "settings": {` + enabled + `}}
		}}}
	}`
	for name, c := range map[string]struct{ dependsOn, dependencies, want string }{
		"none":                        {`{}`, `{}`, ""},
		"of this stack":               {`{"1": {"component": "net"}}`, `null`, "net in acme-ue2-dev"},
		"a list, as newer ones allow": {`[{"component": "net"}]`, `{}`, "net in acme-ue2-dev"},
		"of a stack":                  {`{"1": {"component": "net", "stack": "core-ue2-prod", "stage": "dev"}}`, `{}`, "net in core-ue2-prod"},
		"of another stage":            {`{"1": {"component": "net", "stage": "prod"}}`, `{}`, "net in acme-ue2-prod"},
		"of another tenant and stage": {`{"1": {"component": "net", "tenant": "core", "stage": "prod"}}`, `{}`, "net in core-ue2-prod"},
		"of this stack's own stage":   {`{"1": {"component": "net", "stage": "dev", "environment": "ue2"}}`, `{}`, "net in acme-ue2-dev"},
		"of a stage that is nowhere":  {`{"1": {"component": "net", "stage": "qa"}}`, `{}`, ""},
		"several, one twice":          {`{"1": {"component": "net", "stage": "prod"}, "2": {"component": "net"}, "3": {"component": "net", "stack": "acme-ue2-dev"}}`, `{}`, "net in acme-ue2-dev, net in acme-ue2-prod"},
		"itself, a file and a folder": {`{"1": {"component": "app"}, "2": {"file": "x.json"}, "3": {"folder": "x"}}`, `{}`, ""},
		"dependencies.components": {
			`{"1": {"component": "old"}}`,
			`{"tools": {"terraform": "1.9"}, "components": [{"component": "net"}, {"name": "net", "stack": "acme-ue2-prod", "kind": "terraform"}, {"component": "chart", "kind": "helmfile"}, {"kind": "file", "path": "x"}]}`,
			"net in acme-ue2-dev, net in acme-ue2-prod",
		},
		"dependencies of tools alone": {`{"1": {"component": "net"}}`, `{"tools": {"terraform": "1.9"}}`, "net in acme-ue2-dev"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := printing(t, fmt.Sprintf(stacks, c.dependsOn, c.dependencies))
			if diff := cmp.Diff(c.want, dependencies(t, a)["app in acme-ue2-dev"]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			calls, err := os.ReadFile(filepath.Join(a.Root, "calls"))
			if err != nil || strings.Count(string(calls), "\n") != 1 {
				t.Errorf("more than one call of Atmos: %s %v", calls, err)
			}
		})
	}
}

// The same from the real list and from the description of one target.
func TestATargetOfAtmosHasTheDependenciesOfTheList(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		want := map[string]string{"network in acme-ue2-dev": "", "network in acme-ue2-prod": ""}
		for _, stack := range []string{"acme-ue2-dev", "acme-ue2-prod"} {
			for _, component := range []string{"service/api", "service/worker"} {
				want[component+" in "+stack] = "network in " + stack
				if diff := cmp.Diff([]inventory.Name{{Component: "network", Stack: stack}}, p.target(component, stack).DependsOn); diff != "" {
					t.Errorf("%s in %s: %s", component, stack, diff)
				}
			}
		}
		if diff := cmp.Diff(want, dependencies(t, p.Project)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		// Only the list tells in which stack another stage is.
		p.edit("stacks/catalog/service.yaml", "network: { component: network }", "network: { component: network, stage: prod }")
		for name := range want {
			if strings.HasPrefix(name, "service/") {
				want[name] = "network in acme-ue2-prod"
			}
		}
		if diff := cmp.Diff(want, dependencies(t, p.Project)); diff != "" {
			t.Errorf("another stage (-want +got):\n%s", diff)
		}
		if got := p.target("service/api", "acme-ue2-dev").DependsOn; got != nil {
			t.Errorf("another stage, of one target: %v", got)
		}
	})
}
