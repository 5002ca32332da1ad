package gitops

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/git/gittest"
)

// load loads a gitops.yaml beside which nothing else lies.
func load(t testing.TB, content string) (*Config, error) {
	t.Helper()
	root := t.TempDir()
	gittest.Write(t, root, map[string]string{"gitops.yaml": content})
	return Load(t.Context(), root, "gitops.yaml", nil)
}

func TestAFaultIsOneLineWithPlaceKeyAndChoices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ yaml, want string }{
		"unknown key of a component": {
			"components:\n  network:\n    workspaces: x\nstacks: {dev: }",
			"gitops.yaml:3:5: unknown key `workspaces` under components.network: did you mean `workspace`? Or choose from `path`, `role`, `environment`, `google`, `azure`, `workspace`, `var-files`, `backend-config`, `env`, `plan-files`, `drift`, `policy`, `approvals`, `ignore`, `depends-on`, `destroy`, `stacks`",
		},
		"unknown key at the top": {
			"zzzzz: 1\n",
			"gitops.yaml:1:1: unknown key `zzzzz`: choose from `terraform-version`, `opentofu-version`, `artifact-storage`, `audience`, `path`, `role`, `environment`, `google`, `azure`, `workspace`, `var-files`, `backend-config`, `env`, `plan-files`, `drift`, `approvals`, `ignore`, `policy`, `discover`, `components`, `stacks`",
		},
		"unknown key of a stack": {
			"components: {a: }\nstacks: {dev: {roles: {}}}",
			"gitops.yaml:2:16: unknown key `roles` under stacks.dev: did you mean `role`? Or choose from `artifact-storage`, `audience`, `role`, `environment`, `google`, `azure`, `workspace`, `var-files`, `backend-config`, `env`",
		},
		"key of another level": {
			"components:\n  network: {audience: x}\nstacks: {dev: }",
			"gitops.yaml:2:13: the key `audience` is not allowed under components.network, but at the top level and under a stack",
		},
		"key of a part of another level": {
			"bucket: x\ncomponents: {a: }\nstacks: {dev: }",
			"gitops.yaml:1:1: the key `bucket` is not allowed here, but under `artifact-storage`",
		},
		"key that a component's stack can't have": {
			"components: {a: {stacks: {dev: {depends-on: [b]}}}}\nstacks: {dev: }",
			"gitops.yaml:1:33: the key `depends-on` is not allowed under components.a.stacks.dev, but under a component",
		},
		"Google's provider without its number": {
			"google: {apply: {workload-identity-provider: projects/acme/locations/global/workloadIdentityPools/pool/providers/github}}\ncomponents: {a: }\nstacks: {dev: }",
			"gitops.yaml:1:46: `workload-identity-provider` under google.apply, `projects/acme/",
		},
		"half of Google's identity":                {"components: {a: {google: {plan: {service-account: a@b.iam.gserviceaccount.com}}}}\nstacks: {dev: }", "gitops.yaml:1:14: the identity to plan a in dev with can't be used: google has a service-account and no workload-identity-provider"},
		"half of Azure's identity":                 {"azure: {apply: {client-id: 00000000-1111-2222-3333-444444444444}}\ncomponents: {a: }\nstacks: {dev: }", "the identity to apply a in dev with can't be used: azure needs a client-id and a tenant-id"},
		"unknown stack in a mapping":               {"components: {a: {stacks: {Dev: }}}\nstacks: {dev: }", "gitops.yaml:1:27: unknown stack `Dev` in stacks of component `a`: did you mean `dev`?"},
		"key with a newline":                       {"components: {a: {\"x\\ny\": 1}}\nstacks: {dev: }", `gitops.yaml:1:18: unknown key "x\ny" under components.a: choose from`},
		"key under a name with dots":               {"components: {a.b: {x: 1}}\nstacks: {dev: }", "unknown key `x` under components.\"a.b\": "},
		"number for a version":                     {"terraform-version: 1.10", "gitops.yaml:1:20: `terraform-version` must be a string, not the number `1.10`: put it in quotes"},
		"boolean for a string":                     {"components: {a: {env: {X: true}}}\nstacks: {dev: }", "gitops.yaml:1:27: `X` under components.a.env must be a string, not the boolean `true`: put it in quotes"},
		"number for a storage role":                {"artifact-storage:\n  role: 1\n", "gitops.yaml:2:9: `role` under artifact-storage must be a string or a mapping, not the number `1`"},
		"nothing for a storage role":               {"artifact-storage:\n  role:\n", "`role` under artifact-storage must be a string or a mapping, not empty"},
		"unknown storage role":                     {"artifact-storage:\n  role:\n    aply: x\n", "gitops.yaml:3:5: unknown key `aply` under artifact-storage.role: did you mean `apply`? Or choose from `plan`, `apply`"},
		"number for a role of plan":                {"stacks: {dev: {artifact-storage: {role: {plan: 1}}}}", "gitops.yaml:1:48: `plan` under stacks.dev.artifact-storage.role must be a string, not the number `1`: put it in quotes"},
		"nothing for a string":                     {"path:\n", "`path` must be a string, not empty"},
		"empty string":                             {"path: ''\n", "gitops.yaml:1:7: `path` must not be empty"},
		"string for a list":                        {"var-files: a\n", "gitops.yaml:1:12: `var-files` must be a list of strings, not a string"},
		"list in a list":                           {"var-files:\n- a\n- [b]\n", "gitops.yaml:3:3: `var-files[1]` must be a string, not a list"},
		"list for a mapping":                       {"components: [a]\n", "gitops.yaml:1:13: `components` must be a mapping, not a list"},
		"a list as the document":                   {"- a\n", "gitops.yaml:1:1: the document must be a mapping, not a list"},
		"no stacks where they are needed":          {"components: {a: }\nworkspace: '{stack}'", "gitops.yaml:2:12: `workspace` needs a stack, and the key `stacks` is missing"},
		"no components where they are needed":      {"path: infra/{component}", "gitops.yaml:1:7: `path` has {component}, and there are no `components`: list them, or set `discover`"},
		"any folders without discover":             {"path: infra/**/{component}\ncomponents: {a: }", "gitops.yaml:1:7: `path` has `**`, which needs `discover`"},
		"discover without a name":                  {"path: infra\ndiscover: [infra]", "gitops.yaml:1:7: `path` has no {component}, by which `discover` could name what it finds"},
		"any folders twice":                        {"path: '**/{stack}/**/{component}'\ndiscover: [infra]", "may have `**` once"},
		"any folders at the end":                   {"path: '{component}/**'\ndiscover: [infra]", "may have `**` once"},
		"a part of any folders":                    {"path: 'a**/{component}'\ndiscover: [infra]", "may have `**` once"},
		"discover that excludes":                   {"discover: ['!a/**']", "gitops.yaml:1:12: `discover` only excludes folders"},
		"discover with a placeholder":              {"discover: ['a/{stack}']", "gitops.yaml:1:12: `discover[0]`, `a/{stack}`, has a placeholder"},
		"discover without a glob":                  {"discover: ['a/[']", "`discover[0]`, `a/[`, is not a valid glob of folders"},
		"discover above":                           {"discover: ['../**']", "leads out of the repository"},
		"discover that finds nothing":              {"discover: ['a/**']", "gitops.yaml:1:12: `discover` finds no root module: a root module is a folder with a `backend` or `cloud` block"},
		"no patterns":                              {"discover: []", "`discover` must name at least one, or be left out"},
		"empty components":                         {"components:\nstacks: {dev: }", "`components` must have at least one entry"},
		"no stack for a component":                 {"components: {a: {stacks: []}}\nstacks: {dev: }", "`stacks` under components.a must name at least one, or be left out"},
		"stack twice":                              {"components: {a: {stacks: [dev, dev]}}\nstacks: {dev: }", "gitops.yaml:1:32: `stacks` under components.a repeats `dev`"},
		"key twice":                                {"path: a\nworkspace: b\npath: c\n", "gitops.yaml:3:1: `path` is set twice: first in line 1"},
		"component twice":                          {"components:\n  a:\n  \"a\":\nstacks: {dev: }", "gitops.yaml:3:3: `a` under components is set twice: first in line 2"},
		"empty file":                               {"", "gitops.yaml:1:1: is empty: list `components` and `stacks`, or set `discover`"},
		"only a comment":                           {"# nothing\n", "is empty"},
		"two documents":                            {"components: {a: }\nstacks: {dev: }\n---\npath: x\n", "gitops.yaml:4:1: holds more than one YAML document"},
		"not YAML":                                 {"a: [", "gitops.yaml:1:4: is not valid YAML: "},
		"tab as indentation":                       {"components:\n\ta: b\n", "gitops.yaml:2:1: is not valid YAML: "},
		"not UTF-8":                                {"path: \xff", "is not UTF-8 text"},
		"tag":                                      {"path: !!str 1", "`path` must be a string, not a tagged value"},
		"key that is no text":                      {"? a\n: b\n", "a key must be plain text"},
		"alias without anchor":                     {"path: *a", "gitops.yaml:1:8: the alias `*a` has no anchor `&a` that ends before it"},
		"alias of what it is in":                   {"components: {a: &a {<<: *a}}", "the alias `*a` has no anchor `&a` that ends before it"},
		"both tools":                               {"terraform-version: '1'\nopentofu-version: '1'\ncomponents: {a: }\nstacks: {dev: }", "gitops.yaml:2:19: `opentofu-version` and `terraform-version` exclude each other"},
		"unknown placeholder":                      {"components: {a: {workspace: '{stak}'}}\nstacks: {dev: }", "gitops.yaml:1:29: `workspace` under components.a: unknown placeholder `{stak}`: choose from `{component}`, `{stack}`"},
		"Jinja's braces":                           {"workspace: '{{ stack }}'\ncomponents: {a: }\nstacks: {dev: }", "`workspace`: write the placeholder `{{ stack }}` as `{stack}`"},
		"the shell's braces":                       {"env: {X: '${stack}'}\ncomponents: {a: }\nstacks: {dev: }", "`X` under env: write the placeholder `${stack}` as `{stack}`"},
		"spaces in a placeholder":                  {"env: {X: '{ stack }'}\ncomponents: {a: }\nstacks: {dev: }", "write the placeholder `{ stack }` as `{stack}`"},
		"unknown dependency":                       {"components: {cluster: {depends-on: [netwrk]}, network: }\nstacks: {dev: }", "gitops.yaml:1:37: unknown component `netwrk` in depends-on of component `cluster`: did you mean `network`? Or choose from `cluster`, `network`"},
		"unknown target of another stack":          {"components: {a: , b: {depends-on: [prod/aa]}}\nstacks: {dev: , prod: }\nworkspace: '{stack}'", "gitops.yaml:1:36: unknown target `prod/aa` in depends-on of component `b`: stack `prod` has no component `aa`: did you mean `a`?"},
		"component that is not in the other stack": {"components: {a: {stacks: [dev]}, b: {depends-on: [prod/a]}}\nstacks: {dev: , prod: }\nworkspace: '{stack}'", "stack `prod` has no component `a`"},
		"target with two meanings":                 {"components: {b/c: , c: , d: {depends-on: [a/b/c]}}\nstacks: {a: , a/b: }\nworkspace: w\nbackend-config: ['k={stack}']", "`a/b/c` in depends-on of component `d` may be b/c in a or c in a/b"},
		"cycle through another stack":              {"components: {a: {depends-on: [prod/b], stacks: [dev]}, b: {depends-on: [dev/a], stacks: [prod]}}\nstacks: {dev: , prod: }", "gitops.yaml:1:31: depends-on makes a cycle: `a in dev` → `b in prod` → `a in dev`"},
		"destroyed before what depends on it":      {"components: {a: {destroy: true}, b: {depends-on: [a]}}\nstacks: {dev: }", "gitops.yaml:1:27: a in dev can't be destroyed while b in dev depends on it: destroy that, too, or remove the dependency"},
		"policies for each stack":                  {"policy: {path: ['policies/{stack}']}", "gitops.yaml:1:17: `path[0]` under policy, `policies/{stack}`, can't have a placeholder, since the policies are read once for all targets"},
		"policies above the repository":            {"policy: {path: [../policies]}", "gitops.yaml:1:17: `path[0]` under policy, `../policies`, can't be used: it leads out of the folder"},
		"policies everywhere":                      {"policy: {path: ['**']}", "it can't be used: say which files are meant"},
		"policies of a stack":                      {"components: {a: }\nstacks: {dev: {policy: {path: [a]}}}", "gitops.yaml:2:25: the key `path` is not allowed under stacks.dev.policy, but under `policy` at the top level"},
		"team without its organization":            {"approvals: {teams: [platform]}", "gitops.yaml:1:21: `teams[0]` under approvals, `platform`, can't be used: a team is written org/slug, as in its address, github.com/orgs/acme/teams/platform: acme/platform"},
		"team as CODEOWNERS has it":                {"policy: {override: {teams: ['@acme/security']}}", "write the team without @: acme/security"},
		"team as a user":                           {"approvals: {users: [acme/dba]}", "a team belongs under `teams`"},
		"path that is no list":                     {"policy: {path: policies}", "gitops.yaml:1:16: `path` under policy must be a list of strings, not a string: put it in brackets"},
		"policy that is no mapping":                {"policy: [policies]", "gitops.yaml:1:9: `policy` must be a mapping, not a list"},
		"flag in quotes":                           {"approvals: {codeowners: 'true'}", "gitops.yaml:1:25: `codeowners` under approvals must be true or false, not a string"},
		"more approvals than users":                {"approvals: {count: 3}\ncomponents: {a: , b: {approvals: {users: [alice, bob, Alice]}}}\nstacks: {dev: }", "gitops.yaml:1:20: `count` under approvals can't be met for b in dev: 3 people have to approve, and only 2 may"},
		"too many approvals":                       {"approvals: {count: 21}", "gitops.yaml:1:20: `count` under approvals must be a whole number from 0 to 20, not the number `21`"},
		"text for true":                            {"components: {a: {destroy: 'true'}}", "gitops.yaml:1:27: `destroy` under components.a must be true or false, not a string"},
		"unknown stack":                            {"components: {a: {stacks: [Dev]}}\nstacks: {dev: }", "unknown stack `Dev` in stacks of component `a`: did you mean `dev`?"},
		"cycle":                                    {"components:\n  x: {depends-on: [a]}\n  a: {depends-on: [b]}\n  b: {depends-on: [c]}\n  c: {depends-on: [a]}\nstacks: {dev: }", "gitops.yaml:5:20: depends-on makes a cycle: `a` → `b` → `c` → `a`"},
		"cycle of one":                             {"components: {a: {depends-on: [a]}}\nstacks: {dev: }", "depends-on makes a cycle: `a` → `a`"},
		"empty name":                               {"components: {'': }\nstacks: {dev: }", "gitops.yaml:1:14: a component needs a name"},
		"control character in a name":              {"components: {a: }\nstacks: {\"a\\x07\": }", `the name of stack "a\a" has characters that can't be printed`},
		"invisible character in name":              {"components: {\"a\u202eb\": }\nstacks: {dev: }", "has characters that can't be printed"},
		"long name":                                {"components: {" + strings.Repeat("ä", 101) + ": }\nstacks: {dev: }", "has 202 bytes: at most 200"},
		"control character in a value":             {"path: \"a\\0b\"\n", "`path` must not have control characters"},
		"newline in a path":                        {"path: \"a\\nb\"\n", "`path` must not have control characters"},
		"variable that is a setting":               {"env: {TF_WORKSPACE: x}\ncomponents: {a: }\nstacks: {dev: }", "`TF_WORKSPACE` under env would override the workspace: use the key `workspace`"},
		"variable that is chosen":                  {"env: {TF_DATA_DIR: x}\ncomponents: {a: }\nstacks: {dev: }", "`TF_DATA_DIR` under env is set by these actions"},
		"variable that can't be":                   {"env: {a=b: x}\ncomponents: {a: }\nstacks: {dev: }", "can't be the name of an environment variable"},
		"path that climbs out":                     {"components: {a: {path: ../a}}\nstacks: {dev: }", "gitops.yaml:1:24: `path` under components.a, `../a`: it lies outside the checkout"},
		"var file that climbs out":                 {"components: {a: {var-files: [../../../b]}}\nstacks: {dev: }", "`var-files[0]` under components.a, `../../../b`: it lies outside the checkout"},
		"rooted file that climbs out":              {"components: {a: {var-files: [/../b]}}\nstacks: {dev: }", "it lies outside the checkout"},
		"name that climbs":                         {"components: {..: }\nstacks: {dev: }", "gitops.yaml:1:14: `\"..\"` under components: the name `..` can't be part of a path: write the path without `{component}`"},
		"name that climbs below":                   {"components: {a: {path: 'x/{stack}'}}\nstacks: {b/../../../c: }", "the name `b/../../../c` can't be part of a path"},
		"backend file with an equals":              {"components: {a=b: {path: a, backend-config: ['{component}.tfbackend']}}\nstacks: {dev: }", "is a file whose name Terraform takes for KEY=VALUE"},
		"one state for two stacks":                 {"components: {a: {var-files: ['{stack}.tfvars']}}\nstacks: {dev: , prod: }", "gitops.yaml:1:14: a in dev and a in prod would share one state: both are `components/a` with the same workspace and backend-config"},
		"one state for two components":             {"components: {a: {path: x}, b: {path: ./y/../x/, workspace: default}}\nstacks: {dev: }", "gitops.yaml:1:28: a in dev and b in dev would share one state"},
		"one state, set over":                      {"backend-config: ['key={component}']\ncomponents: {a: {path: x, backend-config: [key=k]}, b: {path: x, backend-config: [key=k]}}\nstacks: {dev: }", "gitops.yaml:2:53: a in dev and b in dev would share one state"},
		"too large":                                {strings.Repeat("#", maxFileBytes+1), "read the configuration `gitops.yaml`: it is larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, c.yaml)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			if strings.HasPrefix(c.want, "gitops.yaml:") && !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is not one line", err)
			}
			if at := (*Error)(nil); errors.As(err, &at) && (at.Line < 1 || at.Column < 1 || at.File != "gitops.yaml") {
				t.Errorf("no place in %+v", at)
			}
		})
	}
}

func TestAFaultKnowsItsKey(t *testing.T) {
	t.Parallel()
	_, err := load(t, "components: {a: {depends-on: [b]}}\nstacks: {dev: }")
	var at *Error
	if !errors.As(err, &at) || at.Key != "components.a.depends-on[0]" || at.Line != 1 || at.Column != 31 {
		t.Errorf("got %+v", at)
	}
}

func TestWhatIsNotAFaultIsLoaded(t *testing.T) {
	t.Parallel()
	for name, yaml := range map[string]string{
		"least":                        "components: {a: }\nstacks: {dev: }",
		"byte order mark":              "\ufeffcomponents: {a: }\nstacks: {dev: }",
		"Windows line ends":            "components:\r\n  a:\r\nstacks:\r\n  dev:\r\n",
		"document markers":             "---\ncomponents: {a: }\nstacks: {dev: }\n...\n",
		"names that look like numbers": "components: {0123: , 1e3: , true: , null: }\nstacks: {2024: }",
		"names that differ in case":    "components: {a: , A: }\nstacks: {dev: , DEV: }\nworkspace: '{stack}'",
		"names of other scripts":       "components: {'сеть/α β #%': }\nstacks: {本番: }",
		"a name of 200 bytes":          "components: {" + strings.Repeat("a", 200) + ": }\nstacks: {dev: }",
		"merge of two, own keys win":   "components: {a: &a {workspace: x}, b: &b {workspace: y, path: b}, c: {<<: [*a, *b], path: c}}\nstacks: {dev: }",
		"JSON in a variable":           "env: {TF_VAR_x: '{\"a\": {\"b\": \"{stack}\"}}', P: '${aws:username} {{ .Name }}'}\ncomponents: {a: }\nstacks: {dev: }",
		"lines in a variable":          "env:\n  X: |\n    a\n    b\ncomponents: {a: }\nstacks: {dev: }",
		"one state apart by role":      "components: {a: }\nstacks: {dev: {role: {plan: x}}, prod: {role: {plan: y}}}",
		"one state apart by env":       "components: {a: }\nstacks: {dev: , prod: }\nenv: {PGDATABASE: '{stack}'}",
		"one state apart by backend":   "components: {a: }\nstacks: {dev: , prod: }\nbackend-config: ['key={stack}']",
		"OpenTofu's backend variables": "opentofu-version: '1.9'\ncomponents: {a: {var-files: ['{stack}.tfvars']}}\nstacks: {dev: , prod: }",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := load(t, yaml); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAMissingFileIsNotExist(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	_, err := Load(t.Context(), root, "gitops.yaml", nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), root) {
		t.Errorf("%v names the folder of the checkout", err)
	}
}

func TestTheFileMustLieInTheCheckout(t *testing.T) {
	t.Parallel()
	outside, root := t.TempDir(), t.TempDir()
	gittest.Write(t, outside, map[string]string{"gitops.yaml": "components: {a: }\nstacks: {dev: }"})
	gittest.Write(t, root, map[string]string{"ci/gitops.yaml": "components: {a: }\nstacks: {dev: }"})
	for name, to := range map[string]string{"link.yaml": filepath.Join(outside, "gitops.yaml"), "inside.yaml": "ci/gitops.yaml", "folder.yaml": "ci"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{filepath.Join(outside, "gitops.yaml"), "../x/gitops.yaml", "link.yaml", "folder.yaml", ".", ""} {
		if _, err := Load(t.Context(), root, file, nil); err == nil {
			t.Errorf("%q was loaded", file)
		}
	}
	for _, file := range []string{"ci/gitops.yaml", "./ci//gitops.yaml", "inside.yaml", filepath.Join(root, "ci", "gitops.yaml")} {
		if _, err := Load(t.Context(), root, file, nil); err != nil {
			t.Error(err)
		}
	}
}

// Each of these made the parser or this package use minutes, gigabytes, or
// all of the stack.
func TestAHostileFileIsRefusedSoon(t *testing.T) {
	t.Parallel()
	const tail = "\nstacks: {dev: }"
	many := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	doubling := "components:\n  c0: &c0 {env: {A: b}}\n"
	for i := 1; i < 40; i++ {
		doubling += fmt.Sprintf("  c%d: &c%d {<<: [*c%d, *c%d]}\n", i, i, i-1, i-1)
	}
	for name, yaml := range map[string]string{
		"open brackets":    strings.Repeat("[", maxFileBytes),
		"open braces":      strings.Repeat("{a: ", maxFileBytes/4),
		"nested brackets":  "a: " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
		"nested dashes":    strings.Repeat("- ", 20_000) + "a",
		"dashes":           strings.Repeat("- ", maxFileBytes/2),
		"question marks":   strings.Repeat("? ", maxFileBytes/2),
		"anchors":          "a: " + strings.Repeat("&a ", maxFileBytes/4),
		"keys in keys":     strings.Repeat("a: ", maxFileBytes/3),
		"many keys":        many("k%d: v\n", 70_000),
		"doubling merges":  doubling + tail,
		"repeated list":    "var-files: &l [" + strings.Repeat("a,", 40_000) + "]\ncomponents:\n" + many("  c%d: {var-files: *l}\n", 5_000) + tail,
		"too many targets": "components:\n" + many("  c%d:\n", 10_000) + "stacks:\n" + many("  s%d:\n", 10_000),
		"too much merged":  "workspace: '{stack}'\nvar-files: [" + strings.Repeat("a,", 20_000) + "]\ncomponents:\n" + many("  c%d:\n", 100) + "stacks:\n" + many("  s%d:\n", 100),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, yaml)
			if err == nil || len(err.Error()) > 1000 {
				t.Errorf("got %.1000v", err)
			}
			if strings.HasPrefix(name, "nested") && !strings.Contains(err.Error(), "is nested more than 32 deep") {
				t.Error(err) // parsed, in gigabytes
			}
		})
	}
}

func TestTenThousandTargetsLoad(t *testing.T) {
	t.Parallel()
	var yaml strings.Builder
	yaml.WriteString("workspace: '{stack}'\nvar-files: ['{stack}.tfvars']\nenv: {A: '{component}', B: b}\ncomponents:\n")
	for i := range 500 {
		fmt.Fprintf(&yaml, "  component-%d:\n    depends-on: [component-500]\n", i)
	}
	yaml.WriteString("  component-500:\nstacks:\n")
	for i := range 20 {
		fmt.Fprintf(&yaml, "  stack-%d:\n    role: {plan: role-%d}\n", i, i)
	}
	c, err := load(t, yaml.String())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(501, len(c.componentNames())); diff != "" {
		t.Error(diff)
	}
}
