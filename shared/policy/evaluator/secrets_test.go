package evaluator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/policy"
)

// A plan with a secret in each place that plan JSON has for one.
const secretPlan = `{"format_version":"1.2",
"variables":{"token":{"value":"variable-secret"},"region":{"value":"eu-west-1"}},
"planned_values":{"outputs":{"o":{"sensitive":true,"value":{"key-of-a-map":"output-secret"}}},
  "root_module":{"child_modules":[{"resources":[{"address":"module.m.a.b","values":{"p":"planned-secret","n":"plain"},"sensitive_values":{"p":true}}]}]}},
"resource_changes":[
  {"address":"a.b","change":{"actions":["update"],"before":{"p":"before-secret","q":"only-after-marks","list":[{"x":"in-a-list-1"},{"x":"in-a-list-2"}],"pin":"1234","n":4711},
   "after":{"p":"after-secret","q":"q","list":[{"x":"in-a-list-3"}],"doc":"{\"password\":\"in-a-document\"}","pem":"-----BEGIN-----\nline-one-of-it\nline-two-of-it\n","quoted":"say \"secret\" <now>"},
   "before_sensitive":{"p":true,"list":[{},{"x":true}],"pin":true,"n":true},"after_sensitive":{"q":true,"doc":true,"pem":true,"quoted":true}}}],
"resource_drift":[{"address":"a.b","change":{"actions":["update"],"before":{"p":"drift-secret"},"after":{},"before_sensitive":true,"after_sensitive":{}}}],
"deferred_changes":[{"reason":"unknown","resource_change":{"address":"a.c","change":{"actions":["create"],"before":null,"after":{"p":"deferred-secret"},"after_sensitive":{"p":true}}}}],
"output_changes":{"o":{"actions":["create"],"before":null,"after":"changed-output","before_sensitive":false,"after_sensitive":true}},
"prior_state":{"values":{"root_module":{"resources":[{"address":"a.b","values":{"p":"prior-secret"},"sensitive_values":{"p":true}}]}}},
"action_invocations":[{"address":"action.a.b","config_values":{"p":"action-secret"},"config_sensitive":{"p":true}}],
"configuration":{"root_module":{"variables":{"token":{"sensitive":true},"region":{}}}}}`

func TestNothingSensitiveIsSaid(t *testing.T) {
	t.Parallel()
	v := evaluate(t, policy.Options{Policies: files("policies/leak.rego", `package main

deny contains sprintf("%v", [input])

deny contains msg if walk(input, [_, msg])

deny contains {"msg": "details", "all": input.resource_changes, "drift": input.resource_drift, "keys": input.planned_values.outputs}

warn contains sprintf("<%s>", [line]) if some line in split(input.resource_changes[0].change.after.pem, "\n")

warn contains json.unmarshal(input.resource_changes[0].change.after.doc).password if true

warn contains sprintf("pin %s, number %d, and 12345 or x4711", [input.resource_changes[0].change.before.pin, input.resource_changes[0].change.before.n])

warn contains "region eu-west-1" if input.variables.region.value == "eu-west-1"

warn contains msg if {
	print(input)
	trace(json.marshal(input))
	msg := json.marshal(input.resource_changes)
}

violation contains to_number(input.variables.token.value) if true

require_approval contains {"team": "acme/dba", "reason": input.variables.token.value} if true
`)}, secretPlan)
	all, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{
		"variable-secret", "output-secret", "key-of-a-map", "planned-secret", "before-secret", "after-secret", "only-after-marks",
		"in-a-list", "in-a-document", "line-one", "line-two", "drift-secret", "deferred-secret", "changed-output", "prior-secret", "action-secret", "say ",
	} {
		if strings.Contains(string(all), secret) {
			t.Errorf("%s is said: %s", secret, all)
		}
	}
	warned := strings.Join(said(v.Warned), "\n")
	for _, want := range []string{"pin (sensitive value), number (sensitive value), and 12345 or x4711", "warn: region eu-west-1", "warn: <(sensitive value)>"} {
		if !strings.Contains(warned, want) {
			t.Errorf("no %q in:\n%s", want, warned)
		}
	}
	if len(v.Log) != 2 || len(v.Required) != 1 || v.Required[0].Reason != "(sensitive value)" {
		t.Errorf("log %q, required %+v", v.Log, v.Required)
	}
}
