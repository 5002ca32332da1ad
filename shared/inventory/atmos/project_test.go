package atmos_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/inventory/atmos"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// project is a checkout of the sample project of Atmos.
type project struct {
	t *testing.T
	atmos.Project
}

// onEach runs a test on each version of Atmos that the stand-in plays; once with a real one.
func onEach(t *testing.T, test func(t *testing.T, version string)) {
	t.Helper()
	for _, version := range fakerunner.AtmosVersions() {
		t.Run(version, func(t *testing.T) { test(t, version) })
	}
}

func newProject(t *testing.T, dir, version string) project {
	t.Helper()
	env := append(os.Environ(), fakerunner.AtmosVariable+"="+version)
	p := project{t, atmos.New(filepath.Join(dir, "atmos"), filepath.Join(t.TempDir(), "checkout"), env)}
	if err := os.CopyFS(p.Root, os.DirFS("../../../test/atmos/testdata/sample")); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p project) read(file string) string {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join(p.Root, file))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(content)
}

func (p project) write(file, content string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.Root, file), []byte(content), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p project) edit(file, old, replacement string) {
	p.t.Helper()
	content := p.read(file)
	if !strings.Contains(content, old) {
		p.t.Fatalf("%s does not contain %q", file, old)
	}
	p.write(file, strings.ReplaceAll(content, old, replacement))
}

// track makes the project a repository, with all files in it.
func (p project) track() {
	p.t.Helper()
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "--all"}} {
		cmd := exec.CommandContext(p.t.Context(), "git", args...)
		cmd.Dir = p.Root
		if out, err := cmd.CombinedOutput(); err != nil {
			p.t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
}

func (p project) target(component, stack string) inventory.Target {
	p.t.Helper()
	t, err := p.Target(p.t.Context(), component, stack)
	if err != nil {
		p.t.Fatal(err)
	}
	return t
}

func TestSettingsOfAStackBeatThoseOfAtmosYaml(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		check := func(stack string, want ...string) {
			t.Helper()
			s := p.target("service/api", stack).Settings
			got := []string{s.TerraformVersion + s.OpenTofuVersion, s.Region, s.Bucket, s.Table, s.PlanStorageRole, s.ApplyStorageRole, s.PlanRole, s.ApplyRole, s.Audience}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", stack, diff)
			}
		}
		const role = "arn:aws:iam::111111111111:role/acme-gitops-"
		check("acme-ue2-dev", "1.11.4", "us-east-2", "acme-core-planfiles", "acme-core-plans",
			role+"store", role+"store", role+"planner", role+"applier", "")
		const applier = "arn:aws:iam::222222222222:role/acme-gitops-applier"
		check("acme-ue2-prod", "1.11.4", "us-east-2", "acme-core-planfiles", "acme-core-plans",
			role+"store", role+"store", role+"planner", applier, "")

		p.edit("atmos.yaml", "role: "+role+"store", "role: { plan: arn:planner, apply: arn:applier }")
		p.edit("atmos.yaml", "terraform-version: 1.11.4", "opentofu-version: 1.9\n      audience: https://github.com/acme")
		check("acme-ue2-prod", "1.9", "us-east-2", "acme-core-planfiles", "acme-core-plans",
			"arn:planner", "arn:applier", role+"planner", applier, "https://github.com/acme")

		// The older name counts only if there is no newer one, in any stack.
		p.edit("atmos.yaml", "artifact-storage:", "storage:")
		check("acme-ue2-dev", "1.9", "us-east-2", "acme-core-planfiles", "acme-core-plans",
			"arn:planner", "arn:applier", role+"planner", role+"applier", "https://github.com/acme")
		if s := p.target("network", "acme-ue2-dev").Settings; s.Outdated == "" {
			t.Error("nothing says that the key has another name now")
		}
		p.edit("stacks/orgs/acme/prod.yaml", "{ role: {", "{ artifact-storage: { url: ../store }, role: {")
		check("acme-ue2-prod", "1.9", "", "", "", "", "", role+"planner", applier, "https://github.com/acme")
		if s := p.target("service/api", "acme-ue2-prod").Settings; s.Outdated != "" || s.StorageURL != "../store" {
			t.Errorf("the newer key: %+v", s)
		}
		p.edit("stacks/orgs/acme/prod.yaml", "artifact-storage: { url: ../store }, ", "")
		p.edit("atmos.yaml", "storage:", "artifact-storage:")

		const id = "00000000-1111-2222-3333-44444444444"
		p.edit("atmos.yaml", "      matrix:", "      environment: production\n      azure: { plan: { client-id: "+id+"4, tenant-id: "+id+"5 } }\n      matrix:")
		p.edit("stacks/orgs/acme/prod.yaml", "{ role: {", "{ azure: { plan: { client-id: "+id+"6 } }, environment: production-api, role: {")
		for stack, want := range map[string][]string{"acme-ue2-dev": {"production", id + "4", id + "5"}, "acme-ue2-prod": {"production-api", id + "6", id + "5"}} {
			s := p.target("service/api", stack).Settings
			if diff := cmp.Diff(want, []string{s.Environment, s.PlanClouds.Azure.ClientID, s.PlanClouds.Azure.TenantID}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", stack, diff)
			}
		}
		p.edit("atmos.yaml", "tenant-id: "+id+"5", "subscription-id: "+id+"5")
		if _, err := p.Target(t.Context(), "network", "acme-ue2-dev"); err == nil || !strings.Contains(err.Error(), "azure needs a client-id and a tenant-id") {
			t.Errorf("half an identity: %v", err)
		}

		p.edit("atmos.yaml", "bucket: acme-core-planfiles", "bucket: [acme-core-planfiles]")
		if _, err := p.Target(t.Context(), "network", "acme-ue2-dev"); err == nil || !strings.Contains(err.Error(), "`network` in `acme-ue2-dev`") || !strings.Contains(err.Error(), "write a text instead of [") {
			t.Errorf("a list for a text: %v", err)
		}
	})
}

func TestWhatIsIgnoredInAStackIsAddedByAtmos(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		check := func(stack string, want ...string) {
			t.Helper()
			var got []string
			for _, r := range p.target("service/api", stack).DriftIgnore {
				got = append(got, r.String())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", stack, diff)
			}
		}
		const prod, role = "stacks/orgs/acme/prod.yaml", "gitops: { role:"
		check("acme-ue2-prod")
		p.edit(prod, role, `gitops: { drift: { ignore: { b_c.*: [tags.X, d], "**": [tags] } }, role:`)
		check("acme-ue2-prod", "**: tags", "b_c.*: tags.X", "b_c.*: d")
		check("acme-ue2-dev")
		p.edit(prod, `{ b_c.*: [tags.X, d], "**": [tags] }`, `[{ b_c.*: [tags.X] }, { a_b.c: [d] }]`)
		check("acme-ue2-prod", "b_c.*: tags.X", "a_b.c: d")
		now := "[{ b_c.*: [tags.X] }, { a_b.c: [d] }]"
		for _, c := range [][2]string{
			{"{ module.x: [d] }", `drift.ignore: "module.x": it can't be the address`},
			{`[{ a_b.c: ["d["] }]`, `drift.ignore: "a_b.c": "d["`},
			{"{ a_b.c: [] }", `"a_b.c" must name an attribute`},
			{"a_b.c", "drift.ignore: write a list of `ADDRESS: [ATTRIBUTE, ...]`"},
			{"[{ a_b.c: d }]", "drift.ignore: write a list of `ADDRESS: [ATTRIBUTE, ...]`"},
		} {
			p.edit(prod, "ignore: "+now, "ignore: "+c[0])
			now = c[0]
			if _, err := p.Target(t.Context(), "service/api", "acme-ue2-prod"); err == nil || !strings.Contains(err.Error(), c[1]) || !strings.Contains(err.Error(), "`service/api` in `acme-ue2-prod`") {
				t.Errorf("%s: %v", c[0], err)
			}
		}
	})
}

func TestAComponentsPoliciesAndApprovals(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		t.Parallel()
		p := newProject(t, fakerunner.Atmos(t, "../../.."), version)
		const prod, role = "stacks/orgs/acme/prod.yaml", "gitops: { role:"
		check := func(policy inventory.Policy, approvals inventory.ApprovalSettings) {
			t.Helper()
			got := p.target("service/api", "acme-ue2-prod").Settings
			if diff := cmp.Diff([]any{policy, approvals}, []any{got.Policy, got.Approvals}); diff != "" {
				t.Error(diff)
			}
		}
		check(inventory.Policy{}, inventory.ApprovalSettings{})
		now := "gitops: { policy: { path: [rego], include: [a.rego], exclude: [b], override: { teams: [acme/security] } }, approvals: { teams: [acme/dba], users: [alice], newer-than-plan: false, codeowners: true }, role:"
		p.edit(prod, role, now)
		check(inventory.Policy{Path: []string{"rego"}, Include: []string{"a.rego"}, Exclude: []string{"b"}, Override: []string{"acme/security"}},
			inventory.ApprovalSettings{Count: 1, Teams: []string{"acme/dba"}, Users: []string{"alice"}, Older: true, CodeOwners: true})
		p.edit(prod, now, "gitops: { policy: { path: [] }, approvals: { teams: [] }, role:")
		now = "gitops: { policy: { path: [] }, approvals: { teams: [] }, role:"
		check(inventory.Policy{Path: []string{}}, inventory.ApprovalSettings{Count: 1})
		for _, c := range [][2]string{
			{"policy: { include: [../a] }", `policy.include: "../a" can't be used`},
			{"policy: { override: { teams: [security] } }", "policy.override.teams: \"security\" can't be used: a team is written org/slug"},
			{"approvals: { count: 21 }", "approvals.count: write a whole number from 0 to 20 instead of 21"},
			{"approvals: { users: [acme/dba] }", "a team belongs under `teams`"},
			{"approvals: { users: [alice], count: 2 }", "settings.integrations.github.gitops.approvals can't be met: 2 people have to approve, and only 1 may (alice): name more users or a team, or lower the count (stack manifest `orgs/acme/prod`, or what it imports)"},
			{"approvals: { teams: acme/dba }", "settings.integrations.github.gitops.approvals.teams: write a list instead of a text"},
			{"approvals: { codeowners: 1 }", "settings.integrations.github.gitops.approvals.codeowners: write true or false instead of a number"},
			{"policy: [rego]", "settings.integrations.github.gitops.policy: write a mapping instead of a list"},
		} {
			p.edit(prod, now, "gitops: { "+c[0]+", role:")
			now = "gitops: { " + c[0] + ", role:"
			if _, err := p.Target(t.Context(), "service/api", "acme-ue2-prod"); err == nil || !strings.Contains(err.Error(), c[1]) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", c[0], err)
			}
		}
	})
}

func TestAtmosIsFoundWhereItLooks(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, dir := range []string{"config", "base", "none"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	write := func(file string) {
		if err := os.WriteFile(filepath.Join(root, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	find := func(config string, environ ...string) string {
		add, found, err := atmos.Find(root, config, environ)
		switch {
		case err != nil:
			return "error: " + err.Error()
		case !found:
			return "none"
		case add == nil:
			return "as it is"
		}
		return strings.TrimPrefix(add["ATMOS_CLI_CONFIG_PATH"], root+"/")
	}
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	write("config/.atmos.yml")
	write("base/atmos.yaml")
	check(find(""), "none")
	check(find("", "ATMOS_CLI_CONFIG_PATH=none"), "none")
	write("atmos.yaml")
	check(find(""), "as it is")
	check(find("", "ATMOS_BASE_PATH=base"), "base")
	check(find("", "ATMOS_BASE_PATH=base", "ATMOS_CLI_CONFIG_PATH="+root+"/config"), "config")
	check(find("", "ATMOS_BASE_PATH=base", "ATMOS_CLI_CONFIG_PATH=none"), "base")
	check(find("config", "ATMOS_BASE_PATH=base"), "config")
	check(find("config/.atmos.yml"), "config")
	for _, config := range []string{"none", "nowhere", "config/atmos.yaml", ".gitignore"} {
		if got := find(config); !strings.HasPrefix(got, "error: input `atmos-config-path` is \""+config+"\": ") {
			t.Errorf("%s: %s", config, got)
		}
	}
}
