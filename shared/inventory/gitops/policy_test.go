package gitops

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

func TestPoliciesAndApprovalsAreMergedFromTheLayers(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
path: "{stack}/{component}"
policy: {path: [rego, "org/**/*.rego"], include: ["common/**", "{stack}/**"], exclude: [old.rego], override: {teams: [acme/security]}}
approvals: {teams: [acme/platform], codeowners: true}
components:
  plain:
  emptied: {stacks: {prod: {approvals: {teams: []}}}}
  database:
    policy: {include: [database.rego]}
    approvals: {users: [alice], count: 2, newer-than-plan: false}
    stacks:
      "a*b":
        policy: {exclude: ["{component}.rego"]}
        approvals: {count: 0}
      prod: {approvals: {newer-than-plan: true, teams: []}}
stacks:
  "a*b":
  prod: {approvals: {teams: [acme/sre, acme/dba], codeowners: false}}
`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]inventory.Settings{}
	for _, l := range c.Targets() {
		got[l.Name().String()] = l.Settings
	}
	policy := inventory.Policy{Path: []string{"rego", "org/**/*.rego"}, Exclude: []string{"old.rego"}, Override: []string{"acme/security"}}
	of := func(include, exclude []string) inventory.Policy {
		p := policy
		p.Include, p.Exclude = include, append(p.Exclude[:1:1], exclude...)
		return p
	}
	want := map[string]inventory.Settings{
		"plain in a*b": {
			Policy:    of([]string{"common/**", `a\*b/**`}, nil),
			Approvals: inventory.ApprovalSettings{Count: 1, Teams: []string{"acme/platform"}, CodeOwners: true},
		},
		"plain in prod": {
			Policy:    of([]string{"common/**", "prod/**"}, nil),
			Approvals: inventory.ApprovalSettings{Count: 1, Teams: []string{"acme/sre", "acme/dba"}},
		},
		"emptied in prod": {
			Policy:    of([]string{"common/**", "prod/**"}, nil),
			Approvals: inventory.ApprovalSettings{Count: 1},
		},
		"database in a*b": {
			Policy:    of([]string{"common/**", `a\*b/**`, "database.rego"}, []string{"database.rego"}),
			Approvals: inventory.ApprovalSettings{Users: []string{"alice"}, Older: true, CodeOwners: true},
		},
		"database in prod": {
			Policy:    of([]string{"common/**", "prod/**", "database.rego"}, nil),
			Approvals: inventory.ApprovalSettings{Count: 2},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
