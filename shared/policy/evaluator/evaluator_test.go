package evaluator_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/policy/evaluator"
)

// The evaluator is this program, started again.
func TestMain(m *testing.M) {
	if status, served := evaluator.Serve(os.Args); served {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// evaluate evaluates policies in a process of its own, as the actions do.
func evaluate(t *testing.T, o policy.Options, plan string) policy.Verdict {
	t.Helper()
	e, err := policy.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := e.Write([]byte(plan)); n != len(plan) || err != nil {
		t.Errorf("Write: %d, %v", n, err)
	}
	return e.End(changes.Counts{Delete: 2})
}

// files are policies by name.
func files(nameAndContent ...string) (set policy.Set) {
	for i := 0; i < len(nameAndContent); i += 2 {
		set = append(set, policy.File{Path: nameAndContent[i], Content: []byte(nameAndContent[i+1]), Root: "policies"})
	}
	return set
}

// said are messages as file:line rule: text.
func said(messages []policy.Message) (all []string) {
	for _, m := range messages {
		all = append(all, line(m))
	}
	return all
}

func line(m policy.Message) string {
	b := m.File
	if m.Line > 0 {
		b += ":" + string(rune('0'+m.Line/10)) + string(rune('0'+m.Line%10))
	}
	return strings.TrimSpace(b+" "+m.Name) + ": " + m.Text
}

const aPlan = `{"format_version":"1.2","resource_changes":[
	{"address":"aws_db_instance.main","type":"aws_db_instance","change":{"actions":["delete"],"before":{"name":"main","password":"hunter2-long"},"after":null,"before_sensitive":{"password":true},"after_sensitive":false}},
	{"address":"aws_s3_bucket.logs","type":"aws_s3_bucket","change":{"actions":["create"],"before":null,"after":{"bucket":"logs"}}}]}`

func TestEachMessageTellsItsLine(t *testing.T) {
	t.Parallel()
	v := evaluate(t, policy.Options{Policies: files("policies/a.rego", `package main

import rego.v1

deny contains msg if {
	some r in input.resource_changes
	"delete" in r.change.actions
	msg := sprintf("%s is destroyed", [r.address])
}

deny contains msg if {
	data.gitops.counts.delete > data.limits.deletions
	msg := sprintf("%d are destroyed", [data.gitops.counts.delete])
}

deny contains "aws_db_instance.main is destroyed" if true

warn_bucket contains {"msg": "a bucket", "address": r.address} if {
	some r in input.resource_changes
	r.type == "aws_s3_bucket"
	print("found", r.address)
}
`, "policies/b.rego", `package main

violation[{"msg": msg}] {
	input.resource_changes[_].type == "aws_db_instance"
	msg := "v0 is Rego, too"
}
`, "policies/limits.yaml", "limits:\n  deletions: 1\n")}, aPlan)
	if diff := cmp.Diff([]string{
		"policies/a.rego:05 deny: aws_db_instance.main is destroyed",
		"policies/a.rego:11 deny: 2 are destroyed",
		"policies/b.rego:03 violation: v0 is Rego, too",
	}, said(v.Denied)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]policy.Message{{Rule: policy.Rule{Name: "warn_bucket", File: "policies/a.rego", Line: 18}, Text: "a bucket", Details: []byte(`{"address":"aws_s3_bucket.logs"}`)}}, v.Warned); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"policies/a.rego:21: found aws_s3_bucket.logs"}, v.Log); diff != "" {
		t.Error(diff)
	}
	if v.Result != policy.Denied {
		t.Error(v.Result)
	}
}

func TestRulesSayWhoMustApprove(t *testing.T) {
	t.Parallel()
	v := evaluate(t, policy.Options{Policies: files("policies/stateful.rego", `package main

require_approval contains {"team": "acme/dba", "reason": sprintf("destroys %s", [r.address])} if {
	some r in input.resource_changes
	"delete" in r.change.actions
}

require_approval_of_two contains {"teams": ["@acme/b", "acme/a"], "users": {"mona", "deploy[bot]"}, "count": 2} if true

require_approval_nobody contains {"team": "acme/x"} if false
`)}, aPlan)
	if diff := cmp.Diff([]approvals.Requirement{
		{Teams: []string{"acme/dba"}, Count: 1, Reason: "destroys aws_db_instance.main", Source: "policies/stateful.rego:3"},
		{Teams: []string{"acme/a", "acme/b"}, Users: []string{"deploy[bot]", "mona"}, Count: 2, Source: "policies/stateful.rego:8"},
	}, v.Required); diff != "" || v.Result != policy.Passed {
		t.Error(diff, v)
	}
}

func TestFactsAreData(t *testing.T) {
	t.Parallel()
	facts := policy.Facts{
		Target: policy.Target{Component: "network", Stack: "prod"}, Environment: "production", Branch: "feature", Base: "main", Actor: "mona", Event: "pull_request",
		Phase: "plan", Drift: true, Time: time.Date(2026, 11, 30, 17, 0, 0, 0, time.UTC), PullRequest: &policy.PullRequest{Number: 7, Author: "octocat", Title: "Title", Labels: []string{"risky"}},
	}
	v := evaluate(t, policy.Options{Facts: facts, Policies: files("policies/facts.rego", `package main

warn contains json.marshal(data.gitops) if true

warn contains "sum" if data.gitops.counts.delete + data.gitops.counts.replace == 2

warn contains "evening" if {
	[hour, _, _] := time.clock([time.parse_rfc3339_ns(data.gitops.time), "Europe/Berlin"])
	hour == 18
	time.now_ns() == time.parse_rfc3339_ns(data.gitops.time)
}

warn contains data.aws.limits.why if data.conftest.file.name == "tfplan.json"
`, "policies/aws/limits.yaml", "limits: {why: below a folder}\n")}, aPlan)
	said := texts(v.Warned)
	if diff := cmp.Diff([]string{"below a folder", "evening", "sum",
		`{"actor":"mona","approvals":[],"base":"main","branch":"feature","counts":{"create":0,"deferred":0,"delete":2,"drift":0,"forget":0,"import":0,"invoke":0,"move":0,"noOp":0,"outputs":0,"read":0,"replace":0,"update":0},` +
			`"drift":true,"environment":"production","event":"pull_request","phase":"plan","pull_request":{"author":"octocat","files":[],"labels":["risky"],"number":7,"title":"Title"},` +
			`"target":{"component":"network","stack":"prod"},"time":"2026-11-30T17:00:00Z"}`}, said); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutAPullRequestThereIsNone(t *testing.T) {
	t.Parallel()
	v := evaluate(t, policy.Options{Policies: files("policies/a.rego", "package main\n\nwarn contains \"none\" if data.gitops.pull_request == null\n")}, aPlan)
	if v.Result != policy.Warned {
		t.Errorf("%+v", v)
	}
}

// Definitions are compiled under names of their own. Their annotations go with them.
func TestARuleSeesItsMetadata(t *testing.T) {
	t.Parallel()
	v := evaluate(t, policy.Options{Policies: files("policies/a.rego", `# METADATA
# title: Storage
package main

# METADATA
# title: Buckets are private
# custom:
#   severity: high
deny contains {"msg": rule.title, "severity": rule.custom.severity} if {
	rule := rego.metadata.rule()
}
`)}, aPlan)
	if diff := cmp.Diff([]policy.Message{{Rule: policy.Rule{Name: "deny", File: "policies/a.rego", Line: 9}, Text: "Buckets are private", Details: []byte(`{"severity":"high"}`)}}, v.Denied); diff != "" {
		t.Error(diff)
	}
}

func TestTheDigestIsThatOfWhatIsEvaluated(t *testing.T) {
	t.Parallel()
	one := files("policies/a.rego", "package main\n", "policies/b.yaml", "a: 1\n")
	for name, c := range map[string]struct {
		set  policy.Set
		same bool
	}{
		"order":   {policy.Set{one[1], one[0]}, true},
		"a test":  {append(files("policies/a_test.rego", "x"), one...), true},
		"content": {files("policies/a.rego", "package main\n\n", "policies/b.yaml", "a: 1\n"), false},
		"name":    {files("policies/c.rego", "package main\n", "policies/b.yaml", "a: 1\n"), false},
		"shifted": {files("policies/a.rego", "package main\npolicies", "/b.yaml", "a: 1\n"), false},
	} {
		if same := c.set.Digest() == one.Digest(); same != c.same {
			t.Errorf("%s: same is %t", name, same)
		}
	}
}
