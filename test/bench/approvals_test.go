package bench

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

const approvalSettings = `approvals: { count: 2, teams: [acme/dba], codeowners: true }
environment: production
`

const policyOfAFleet = `package main

deny contains "too much" if count(input.resource_changes) > 1000

require_approval contains {"team": "acme/dba", "reason": "it is new"}
`

// Whatever is asked of GitHub for policies, approvals and code owners is asked once for all targets.
func TestApprovalsTakeTheSameRequestsFor1And50Targets(t *testing.T) {
	actions := built(t)
	for _, n := range []int{1, 50} {
		got := countApprovalRequests(t, actions, n)
		pull := map[string]int{
			"GET /repos/acme/infra/pulls/N":                        1,
			"GET /repos/acme/infra/pulls/N/files":                  1,
			"GET /repos/acme/infra/pulls/N/reviews":                1,
			"GET /orgs/acme/teams/dba/members":                     1,
			"GET /repos/acme/infra/collaborators/alice/permission": 1,
		}
		apply := map[string]int{"GET /repos/acme/infra/actions/runs/N": 1, "GET /repos/acme/infra/actions/runs/N/approvals": 1}
		for name, count := range pull {
			apply[name] = count
		}
		if diff := cmp.Diff(map[string]map[string]int{"review": pull, "apply": apply}, got); diff != "" {
			t.Errorf("requests of %d targets (-want +got):\n%s", n, diff)
		}
	}
}

// countApprovalRequests plans so many targets, has one person approve them in a review and another one
// by the environment, and counts the requests to GitHub of the dry run and of the apply.
func countApprovalRequests(t *testing.T, actions string, n int) map[string]map[string]int {
	t.Helper()
	store := "artifact-storage: { url: " + filepath.Join(t.TempDir(), "store") + " }\n"
	f := newFleet(t, actions, n, sample, store+approvalSettings,
		"policies/new.rego", policyOfAFleet, "CODEOWNERS", "* @acme/dba\n")
	f.recordTerraform(t)
	token := f.github.NewToken("github-actions[bot]", fakegithub.Permissions{"contents": "read", "pull_requests": "read", "statuses": "write", "actions": "read"})
	teams := f.github.NewToken("teams[bot]", fakegithub.Permissions{"members": "read"})
	f.run(t, "plan", map[string]string{"token": token})

	f.github.SetClock(func() time.Time { return time.Now().Add(time.Minute) })
	f.github.AddTeam("acme", "dba", "alice", "bob")
	for _, person := range []string{"alice", "bob"} {
		f.repository.SetPermission(person, "write")
	}
	var files []fakegithub.File
	for i := range n {
		files = append(files, fakegithub.File{Path: "components/" + component(i) + "/main.tf"})
	}
	f.repository.ChangeFiles(1, files...)
	f.repository.Review(1, fakegithub.Review{User: "alice"})

	f.github.SetClock(func() time.Time { return time.Now().Add(2 * time.Minute) })

	counts := map[string]map[string]int{}
	for _, step := range []string{"review", "apply"} {
		asked := len(f.github.Requests())
		inputs := map[string]string{"token": token, "teams-token": teams, "environment": "production", "dry-run": "true"}
		if step == "apply" {
			inputs["dry-run"] = "false"
			f.repository.AddRun(int64(f.RunID + 1))
			f.repository.AnswerRun(int64(f.RunID+1), fakegithub.RunApproval{User: "bob", Environments: []string{"production"}})
		}
		f.run(t, "apply", inputs)
		counts[step] = map[string]int{}
		for _, r := range f.github.Requests()[asked:] {
			counts[step][r.Method+" "+number.ReplaceAllString(r.Path, "/N")]++
		}
	}
	return counts
}
