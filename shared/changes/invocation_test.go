package changes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadTellsWhichActionsAreInvokedAndWhen(t *testing.T) {
	t.Parallel()
	purge := `"address":"action.aws_lambda_invoke.purge","type":"aws_lambda_invoke","name":"purge","config_values":{"function_name":"purge-prod","token":"hunter2","note":"hunter2!"},` +
		`"config_sensitive":{"token":true},"config_unknown":{"payload":true}`
	plan := mustRead(t, document(
		`"resource_changes":[]`,
		`"action_invocations":[{`+purge+`,"lifecycle_action_trigger":{"triggering_resource_address":"t.a","action_trigger_event":"AfterCreate","action_trigger_block_index":0}},
			{"address":"action.x.y[0]","type":"x","invoke_action_trigger":{}},
			{"address":"action.x.z","type":"x","invoke_action_trigger":{"calling_resource_address":"t.b"}}]`,
		`"deferred_action_invocations":[{"reason":"deferred_prereq","action_invocation":{"address":"action.x.later","type":"x"}}]`))
	settings := []Attribute{
		{Path: "function_name", New: Value{Kind: Known, Text: "purge-prod", String: true}},
		{Path: "note", New: Value{Kind: Sensitive}},
		{Path: "payload", New: Value{Kind: Unknown}},
		{Path: "token", New: Value{Kind: Sensitive}},
	}
	want := []Invocation{
		{Address: "action.aws_lambda_invoke.purge", Type: "aws_lambda_invoke", Trigger: "t.a", Event: "AfterCreate", Settings: settings},
		{Address: "action.x.y[0]", Type: "x"},
		{Address: "action.x.z", Type: "x", Trigger: "t.b"},
	}
	if diff := cmp.Diff(want, plan.Invocations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Invocation{{Address: "action.x.later", Type: "x", Reason: "deferred_prereq"}}, plan.InvocationsDeferred); diff != "" {
		t.Error(diff)
	}
	if plan.Counts != (Counts{Invoke: 3}) || plan.DeferredInvocations != 1 || !plan.Counts.Any() || len(plan.Unknown) > 0 {
		t.Errorf("read as %+v", plan)
	}
}

// A secret of an action's settings is hidden in resources, and a resource's in settings.
func TestSecretsAreHiddenInAndOfActions(t *testing.T) {
	t.Parallel()
	for _, marked := range []string{
		resourceChanges(change("t.a", `"actions":["create"],"after":{"p":"hunter2-and-more"},"after_sensitive":{"p":true}`)) +
			`,"action_invocations":[{"address":"action.x.y[\"hunter2-and-more\"]","config_values":{"a":"hunter2-and-more","b":"kept"}}]`,
		resourceChanges(change("t.a", `"actions":["create"],"after":{"p":"hunter2-and-more","q":"kept"}`)) +
			`,"action_invocations":[{"address":"action.x.y","config_values":{"a":"hunter2-and-more"},"config_sensitive":{"a":true}}]`,
	} {
		if all := fmt.Sprintf("%+v", mustRead(t, document(marked))); strings.Contains(all, "hunter2") || !strings.Contains(all, "kept") {
			t.Errorf("read as %s", all)
		}
	}
}

func TestReadRefusesAnActionThatItCannotName(t *testing.T) {
	t.Parallel()
	for _, member := range []string{
		`"action_invocations":[1]`, `"action_invocations":[{}]`, `"action_invocations":{}`, `"action_invocations":[{"address":1}]`,
		`"action_invocations":[{"address":"a","lifecycle_action_trigger":1}]`, `"action_invocations":[{"address":"a","Config_values":{}}]`,
		`"deferred_action_invocations":[{"reason":"x"}]`,
	} {
		if _, err := Read(strings.NewReader(document(member)), Limit{Bytes: 1 << 20}); err == nil {
			t.Errorf("%s was read", member)
		}
	}
}

func TestReadTellsTheIdentityThatAResourceIsImportedBy(t *testing.T) {
	t.Parallel()
	plan := mustRead(t, document(resourceChanges(
		change("t.a", `"actions":["no-op"],"importing":{"identity":{"account_id":"111111111111","bucket":"my-bucket"}}`),
		change("t.b", `"actions":["create"],"importing":{"unknown":true}`))))
	if b, a := plan.Resources[0], plan.Resources[1]; a.ImportIdentity != `{"account_id":"111111111111","bucket":"my-bucket"}` || a.ImportUnknown || !b.ImportUnknown || b.ImportIdentity != "" {
		t.Errorf("read as %+v", plan.Resources)
	}
}
