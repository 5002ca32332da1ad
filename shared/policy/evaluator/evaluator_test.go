package evaluator_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
