package atmos_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// scripted is an Atmos of a version that prints a file for each kind of description.
func scripted(t *testing.T, version string, files map[string]string) atmos.Project {
	t.Helper()
	dir := t.TempDir()
	files["version"] = fmt.Sprintf("{\"version\": %q}", version)
	files["script"] = "#!/bin/sh\necho \"$@\" >>calls\ncase $1 in version) cat version;; *) cat $2;; esac\n"
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "install", "-m", "700", "script", "atmos") // see printing
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return atmos.New(filepath.Join(dir, "atmos"), dir, os.Environ())
}

// A member that a description lacks is never taken for a default.
func TestAMissingMemberIsAnErrorThatNamesItAndTheVersion(t *testing.T) {
	t.Parallel()
	dir := fakerunner.Atmos(t, "../../..")
	onEach(t, func(t *testing.T, version string) {
		p := newProject(t, dir, version)
		ask := func(args ...string) section {
			cmd := exec.CommandContext(t.Context(), p.Path, args...)
			cmd.Dir, cmd.Env = p.Root, p.Env
			out, err := cmd.Output()
			var all section
			if err == nil {
				err = json.Unmarshal(out, &all)
			}
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		whole := func() section {
			return ask("describe", "component", "network", "-s", "acme-ue2-dev", "--format", "json", "--query", ".")
		}
		text := func(value any) string {
			content, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			return strings.ReplaceAll(string(content), p.Root, ".")
		}
		if _, err := scripted(t, version, map[string]string{"component": text(whole())}).Target(t.Context(), "network", "acme-ue2-dev"); err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"component_info", "component_info.component_path", "component_info.component_type", "component", "settings", "metadata", "vars", "env", "backend", "backend_type", "providers", "command", "workspace"} {
			for _, how := range []string{"gone", "empty"} {
				d := whole()
				in, key := d, member
				if outer, inner, nested := strings.Cut(member, "."); nested {
					in, key = d[outer].(section), inner
				}
				switch {
				case how == "gone":
					delete(in, key)
				case !strings.Contains("component_info.component_path component_info.component_type workspace component command", member) || member == "component_info":
					continue // an empty one says something
				default:
					in[key] = ""
				}
				_, err := scripted(t, version, map[string]string{"component": text(d)}).Target(t.Context(), "network", "acme-ue2-dev")
				if err == nil || !strings.Contains(err.Error(), "Atmos "+version+" describes `network` in `acme-ue2-dev`: there is no `"+member+"`") || problem.CodeOf(err) != problem.Atmos {
					t.Errorf("%s is %s: %v", member, how, err)
				}
				if strings.Contains(member, "component_info") {
					continue // not all have it in lists
				}
				stacks := section{"acme-ue2-dev": section{"components": section{"terraform": section{"network": d}}}}
				_, err = scripted(t, version, map[string]string{"stacks": text(stacks)}).Stacks(t.Context())
				if err == nil || !strings.Contains(err.Error(), "Atmos "+version+" describes `network` in `acme-ue2-dev`: there is no `"+member+"`") {
					t.Errorf("%s is %s, in a list: %v", member, how, err)
				}
			}
		}
	})
}

// What a person sets for a terminal, or for all commands of Atmos, changes no answer.
func TestTheEnvironmentDoesNotChangeTheFormOfAnAnswer(t *testing.T) {
	t.Parallel()
	a := scripted(t, "1.227.0", map[string]string{"stacks": "{}"})
	script := "#!/bin/sh\nenv >environment\ncase $1 in version) cat version;; *) cat $2;; esac\n"
	if err := os.WriteFile(filepath.Join(a.Root, "script"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "install", "-m", "700", "script", "atmos")
	install.Dir = a.Root
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	a.Env = append(a.Env, "ATMOS_PAGER=less", "PAGER=less", "ATMOS_LOGS_LEVEL=Trace", "ATMOS_LOGS_FILE=/dev/stdout", "FORCE_COLOR=1", "ATMOS_FORCE_COLOR=1", "CLICOLOR_FORCE=1",
		"ATMOS_DESCRIBE_ERROR_MODE=silent", "ATMOS_VERBOSE=true", "ATMOS_PROFILE=ci", "ATMOS_EDITION=2025", "ATMOS_IDENTITY=me", "ATMOS_BASE_PATH=.")
	if _, err := a.Stacks(t.Context()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(a.Root, "environment"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(content)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		got[name] = value
	}
	want := map[string]string{
		"ATMOS_PAGER": "false", "ATMOS_LOGS_LEVEL": "Warning", "ATMOS_LOGS_FILE": "/dev/stderr", "ATMOS_DESCRIBE_ERROR_MODE": "strict", "NO_COLOR": "1",
		// What says which configuration it is, Atmos needs as it is: it runs Terraform with that.
		"ATMOS_PROFILE": "ci", "ATMOS_EDITION": "2025", "ATMOS_IDENTITY": "me", "ATMOS_BASE_PATH": ".",
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	for _, name := range []string{"PAGER", "FORCE_COLOR", "ATMOS_FORCE_COLOR", "CLICOLOR_FORCE", "ATMOS_VERBOSE"} {
		if value, is := got[name]; is {
			t.Errorf("%s is %q", name, value)
		}
	}
}

func TestVersionsOfAtmos(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"1.196.0": "", "1.200.1": "", "1.227.0": "", "v1.227.0": "", "1.227.0-rc.1": "",
		"1.195.9": "error", "1.196.0-beta.1": "", "1.9.0": "error",
		"1.228.0": "newer", "2.0.0": "newer", "1.300.0-rc.1": "newer",
		"test": "source", "0.0.1": "source", "dev": "source", "(devel)": "source",
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			a := scripted(t, version, map[string]string{})
			v, err := a.Version(t.Context())
			got := ""
			switch said := v.Untried(); {
			case err != nil && strings.Contains(err.Error(), "Atmos "+version) && strings.Contains(err.Error(), atmos.Oldest):
				got = "error"
			case err != nil:
				t.Fatal(err)
			case strings.Contains(said, "builds from source") && strings.Contains(said, fmt.Sprintf("%q", version)):
				got = "source"
			case strings.Contains(said, "Atmos "+version+" is newer than "+atmos.Newest):
				got = "newer"
			case said != "":
				t.Fatal(said)
			}
			if got != want {
				t.Errorf("%q, want %q: %v", got, want, err)
			}
		})
	}
}

func TestAVersionForPeopleIsRead(t *testing.T) {
	t.Parallel()
	a := scripted(t, "", map[string]string{})
	if err := os.WriteFile(filepath.Join(a.Root, "version"), []byte("\n👽 Atmos 1.200.0 on linux/amd64\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := a.Version(t.Context()); err != nil || v.Number != "1.200.0" {
		t.Errorf("%v %v", v, err)
	}
	if err := os.WriteFile(filepath.Join(a.Root, "version"), []byte("no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := atmos.New(a.Path, a.Root, a.Env).Version(t.Context()); err == nil || !strings.Contains(err.Error(), atmos.Oldest) {
		t.Errorf("error %v", err)
	}
}

// It is asked once by all that work side by side.
func TestTheVersionIsAskedOnce(t *testing.T) {
	t.Parallel()
	a := scripted(t, "1.227.0", map[string]string{"stacks": "{}"})
	for range 3 {
		if _, err := a.Stacks(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	calls, err := os.ReadFile(filepath.Join(a.Root, "calls"))
	if err != nil || strings.Count(string(calls), "version") != 4 { // once as a command: the sections have one each
		t.Errorf("%s %v", calls, err)
	}
}

// What is affected is not for Atmos to say, which is wrong both ways: it is not asked.
func TestWhatIsAffectedDoesNotDependOnWhatAtmosSays(t *testing.T) {
	t.Parallel()
	dir := fakerunner.Atmos(t, "../../..")
	onEach(t, func(t *testing.T, version string) {
		for name, says := range map[string]string{
			"nothing":    "[]",
			"everything": `[{"component": "network", "component_type": "terraform", "stack": "acme-ue2-prod", "affected_all": ["component"]}, {"component": "service/api", "component_type": "terraform", "stack": "acme-ue2-prod", "affected_all": ["stack.vars"]}]`,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				base, head := newProject(t, dir, version), newProject(t, dir, version)
				base.commit()
				head.edit("stacks/orgs/acme/dev.yaml", "10.1.0.0", "10.8.0.0")
				head.commit()
				lying := t.TempDir()
				for file, content := range map[string]string{"says": says, "script": "#!/bin/sh\ncase \"$1 $2\" in 'describe affected') cat " + lying + "/says;; *) exec " + head.Path + " \"$@\";; esac\n"} {
					if err := os.WriteFile(filepath.Join(lying, file), []byte(content), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				install := exec.CommandContext(t.Context(), "install", "-m", "700", lying+"/script", lying+"/atmos")
				if out, err := install.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				head.Path = lying + "/atmos"
				if diff := cmp.Diff("network in acme-ue2-dev: changed: vars\n", head.affected(base, false)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestWhatAffectsATargetOfAtmos(t *testing.T) {
	t.Parallel()
	dir := fakerunner.Atmos(t, "../../..")
	const dev = "stacks/orgs/acme/dev.yaml"
	prepare := func(p project) {
		for _, folder := range []string{"policies/deep", "modules/tags"} {
			if err := os.MkdirAll(filepath.Join(p.Root, folder), 0o750); err != nil {
				p.t.Fatal(err)
			}
		}
		p.write("policies/deep/a.json", "{}")
		p.write("policies.json", "{}")
		p.write("modules/tags/main.tf", "")
		p.write("components/terraform/network/tags.tf", "module \"tags\" {\n  source = \"../../../modules/tags\"\n}\n")
		p.edit("stacks/catalog/service.yaml", "    service/api:\n", "    service/old:\n      metadata: { component: service, inherits: [service/defaults] }\n      settings: { depends_on: { 1: { file: policies.json }, 2: { folder: policies } } }\n"+
			"    service/new:\n      metadata: { component: service, inherits: [service/defaults] }\n      dependencies: { components: [{ kind: file, path: policies.json }, { kind: folder, path: policies/deep }] }\n    service/api:\n")
		p.edit(dev, "    network:\n", "    off:\n      metadata: { component: network, enabled: false }\n      settings: { github: { actions_enabled: true } }\n    network:\n")
	}
	const both = "service/new in acme-ue2-dev: %[1]s\nservice/new in acme-ue2-prod: %[1]s\nservice/old in acme-ue2-dev: %[1]s\nservice/old in acme-ue2-prod: %[1]s\n"
	for name, c := range map[string]struct {
		edit func(project)
		want string
	}{
		"a file that it depends on":    {func(p project) { p.write("policies.json", "[]") }, fmt.Sprintf(both, "changed: policies.json")},
		"a file in a folder":           {func(p project) { p.write("policies/deep/a.json", "[]") }, fmt.Sprintf(both, "changed: policies/deep/a.json")},
		"a new file in a folder":       {func(p project) { p.write("policies/deep/b.json", "[]") }, fmt.Sprintf(both, "added: policies/deep/b.json")},
		"a component's folder (#1978)": {func(p project) { p.write("components/terraform/network/more.tf", "") }, "network in acme-ue2-dev: added: components/terraform/network/more.tf\nnetwork in acme-ue2-prod: added: components/terraform/network/more.tf\n"},
		"a local module":               {func(p project) { p.write("modules/tags/main.tf", "# more\n") }, "network in acme-ue2-dev: changed: modules/tags/main.tf\nnetwork in acme-ue2-prod: changed: modules/tags/main.tf\n"},
		"one stack":                    {func(p project) { p.edit(dev, "10.1.0.0", "10.8.0.0") }, "network in acme-ue2-dev: changed: vars\n"},
		"its environment":              {func(p project) { p.edit(dev, "      vars: { cidr", "      env: { A: b }\n      vars: { cidr") }, "network in acme-ue2-dev: changed: env\n"},
		"its workspace": {func(p project) {
			p.edit(dev, "      vars: { cidr", "      metadata: { terraform_workspace: other }\n      vars: { cidr")
		}, "network in acme-ue2-dev: changed: workspace\n"},
		"a function's text": {func(p project) { p.edit(dev, "cidr: 10.1.0.0/16", "cidr: !terraform.output off cidr") }, "network in acme-ue2-dev: changed: vars\n"},
		"settings of other tools": {func(p project) {
			p.edit("stacks/catalog/network.yaml", "settings: {", "settings: { spacelift: { enabled: true },")
		}, ""},
		"a component that is turned on":  {func(p project) { p.edit(dev, "enabled: false", "enabled: true") }, "off in acme-ue2-dev: new\n"},
		"a deleted stack (#2063)":        {func(p project) { remove(p, "stacks/orgs/acme/prod.yaml") }, "network in acme-ue2-prod: deleted (deleted)\nservice/api in acme-ue2-prod: deleted (deleted)\nservice/new in acme-ue2-prod: deleted (deleted)\nservice/old in acme-ue2-prod: deleted (deleted)\nservice/worker in acme-ue2-prod: deleted (deleted)\n"},
		"where the backend keeps states": {func(p project) { p.edit(dev, "../../../state", "../../../states") }, "network in acme-ue2-dev: changed: backend\nservice/api in acme-ue2-dev: changed: backend\nservice/new in acme-ue2-dev: changed: backend\nservice/old in acme-ue2-dev: changed: backend\nservice/worker in acme-ue2-dev: changed: backend\n"},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, version string) {
				t.Parallel()
				base, head := newProject(t, dir, version), newProject(t, dir, version)
				prepare(base)
				base.commit()
				prepare(head)
				c.edit(head)
				head.commit()
				if diff := cmp.Diff(c.want, head.affected(base, false)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func remove(p project, file string) {
	p.t.Helper()
	if err := os.Remove(filepath.Join(p.Root, file)); err != nil {
		p.t.Fatal(err)
	}
}
