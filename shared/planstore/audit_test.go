package planstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// fullAudit has every field.
func fullAudit() Audit {
	at := time.Date(2025, 3, 1, 11, 0, 0, 0, time.UTC)
	return Audit{
		PolicyDigest: strings.Repeat("ab", 32), PolicyResult: "denied", Environment: "production",
		Required: []approvals.Requirement{
			{Teams: []string{"acme/dba", "acme/platform"}, Users: []string{"mona"}, Count: 2, Reason: "destroys aws_db_instance.main", Source: "policies/stateful.rego:12", Older: true, Write: true},
			{Count: 1},
		},
		Given: []approvals.Approval{
			{User: "hubot", Bot: true, At: at, Commit: commitA, ReviewID: 7},
			{User: "ana", At: at.Add(time.Minute), Environment: "production", Text: "go"},
		},
		Override: &approvals.Approval{User: "sam", At: at, Commit: commitA, ReviewID: 8, Text: "override: the database is empty"},
	}
}

func TestAClaimKeepsWhyThePlanWasLetThrough(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		run := runNumber("200", 1)
		must(t, b.Claim(t.Context(), r, run, "octocat", fullAudit()))
		must(t, b.Finish(t.Context(), r, run, Result{Status: StatusApplied}))
		found, err := b.open().Find(t.Context(), network, commitA)
		must(t, err)
		if diff := cmp.Diff(fullAudit(), found.Claim.Audit); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		// A claim of an older version has none of it.
		item := b.Item(t, applyPrefix+network.Key(), claimPrefix+r.ID())
		for name := range item {
			if strings.HasPrefix(name, "policy") || name == "required" || name == "approvals" || name == "override" || name == "environment" || name == "claimedOn" {
				delete(item, name)
			}
		}
		b.PutItem(t, item)
		found, err = b.Find(t.Context(), network, commitA)
		must(t, err)
		if diff := cmp.Diff(Audit{}, found.Claim.Audit); diff != "" || found.Status != StatusApplied {
			t.Errorf("an older claim: status %s, audit (-want +got):\n%s", found.Status, diff)
		}
	})
}

// DynamoDB takes items of 400 KB at most. A claim that can't be written would be no apply.
func TestAuditsAndRequirementsAreBounded(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		long := strings.Repeat("ü", 100_000)
		var required []approvals.Requirement
		var given []approvals.Approval
		for i := range 1000 {
			r := approvals.Requirement{Reason: long, Source: long, Teams: []string{"", "a\nb", "\xff", long}}
			for j := range 200 {
				name := fmt.Sprintf("%s/%d", strings.Repeat("a", 140), j)
				r.Teams, r.Users = append(r.Teams, name), append(r.Users, name)
			}
			required = append(required, r)
			given = append(given, approvals.Approval{User: fmt.Sprint("user", i), At: b.clock.Now(), Text: long})
		}
		r := b.newRecord(nil)
		r.Required = required
		r = b.put(t, r, "plan")
		must(t, b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{Required: required, Given: given, Override: &given[0]}))
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		for name, kept := range map[string][]approvals.Requirement{"record": found.Record.Required, "claim": found.Claim.Audit.Required} {
			if len(kept) != maxRequirements || len(kept[0].Teams) != maxNames || kept[0].Count != 1 {
				t.Errorf("the %s keeps %d requirements, the first one of %d teams, %d times", name, len(kept), len(kept[0].Teams), kept[0].Count)
			}
		}
		if n := len(found.Claim.Audit.Given); n != maxApprovals {
			t.Errorf("it keeps %d approvals", n)
		}
	})
}

func TestRecordsThatNoPlanActionWritesAreRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		id := b.put(t, b.newRecord(nil), "plan").ID()
		for name, spoil := range map[string]func(*Record){
			"another result": func(r *Record) { r.PolicyResult = "perhaps" },
			"a chain without end": func(r *Record) {
				r.EqualTo = strings.Split(strings.Repeat(id+" ", MaxEqualTo+1)[:], " ")[:MaxEqualTo+1]
			},
			"a chain of what is no ID": func(r *Record) { r.EqualTo = []string{"latest"} },
			"a chain of drift plans":   func(r *Record) { r.EqualTo = []string{driftRecord + id} },
		} {
			r := b.newRecord(nil)
			spoil(&r)
			if _, err := b.Put(t.Context(), r, writeFile(t, "plan")); err == nil {
				t.Errorf("%s was stored", name)
			}
		}
		commit, at, err := PlanOf(id)
		must(t, err)
		if want := b.clock.Now(); commit != commitA || at.After(want) || want.Sub(at) > time.Minute {
			t.Errorf("the plan %s is of %s, %s", id, commit, at)
		}
		if _, _, err := PlanOf(commitA); !errors.Is(err, ErrName) {
			t.Errorf("a commit is no ID: %v", err)
		}
	})
}

// The command of docs/operations.md, as an auditor types it.
func TestTheDocumentedQuerySaysWhoApprovedWhatRanOnADay(t *testing.T) {
	t.Parallel()
	b := newBackend(storetest.NewAWS(t))
	r := b.put(t, b.newRecord(nil), "plan")
	must(t, b.Claim(t.Context(), r, runNumber("200", 1), "octocat", fullAudit()))
	must(t, b.Finish(t.Context(), r, runNumber("200", 1), Result{Status: StatusApplied}))
	b.clock.Advance(24 * time.Hour) // what runs on the next day is not in it
	next := b.newRecord(nil)
	next.Stack = "prod"
	next = b.put(t, next, "next")
	must(t, b.Claim(t.Context(), next, runNumber("201", 1), "octocat", Audit{}))

	docs, err := os.ReadFile("../../docs/operations.md")
	must(t, err)
	_, command, _ := strings.Cut(string(docs), "\n## Who approved what ran on a day\n")
	_, command, _ = strings.Cut(command, "```sh\n")
	command, _, ok := strings.Cut(command, "```")
	for old, replaced := range map[string]string{"acme-gitops-plans": b.Table, "acme/infrastructure#2026-11-30": "acme/infra#2025-03-01"} {
		ok = ok && strings.Contains(command, old)
		command = strings.Replace(command, old, replaced, 1)
	}
	if !ok {
		t.Fatalf("docs/operations.md has another command: %s", command)
	}
	run := exec.CommandContext(t.Context(), "bash", "-c", command)
	run.Env = append(os.Environ(), append(fakeaws.Start(t).Environ(), "AWS_DEFAULT_REGION=us-east-1", "AWS_CONFIG_FILE=/dev/null", "AWS_DEFAULT_OUTPUT=json")...)
	said, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var got any
	must(t, json.Unmarshal(said, &got))
	var want any
	must(t, json.Unmarshal([]byte(`[{
		"target": "apply#acme/infra#network#plat-ue2-dev", "plan": "claim#`+r.ID()+`", "status": "applied",
		"at": "`+b.claimedAt(t, r)+`", "by": "octocat", "run": "https://github.com/acme/infra/actions/runs/200", "environment": "production",
		"policies": "denied", "policies_digest": "`+strings.Repeat("ab", 32)+`",
		"required": [
			{"count": "2", "teams": ["acme/dba", "acme/platform"], "users": ["mona"], "why": "destroys aws_db_instance.main", "rule": "policies/stateful.rego:12"},
			{"count": "1", "teams": null, "users": null, "why": null, "rule": null}
		],
		"approved": [
			{"by": "hubot", "at": "2025-03-01T11:00:00.000000000Z", "review": "7", "commit": "`+commitA+`", "environment": null},
			{"by": "ana", "at": "2025-03-01T11:01:00.000000000Z", "review": null, "commit": null, "environment": "production"}
		],
		"overridden": {"by": "sam", "at": "2025-03-01T11:00:00.000000000Z", "review": "8", "said": "override: the database is empty"}
	}]`), &want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func (b *backend) claimedAt(t *testing.T, r Record) string {
	at, _ := b.Item(t, applyPrefix+r.Key(), claimPrefix+r.ID())["claimedAt"].(string)
	return at
}
