package changes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// document is a plan with these members besides its versions.
func document(members ...string) string {
	return `{"format_version":"1.2","terraform_version":"1.11.4",` + strings.Join(append(members, `"applyable":true`), ",") + "}\n"
}

// resourceChanges is a resource_changes member; elements are whole elements.
func resourceChanges(elements ...string) string {
	return `"resource_changes":[` + strings.Join(elements, ",") + `]`
}

// change is an element of resource_changes with the members of its change.
func change(address, members string) string {
	kind, _, _ := strings.Cut(address, ".")
	return fmt.Sprintf(`{"address":%q,"mode":"managed","type":%q,"name":"n","provider_name":"p","change":{%s}}`, address, kind, members)
}

func mustRead(t *testing.T, document string) *Plan {
	t.Helper()
	plan, err := Read(strings.NewReader(document), Limit{Bytes: 1 << 20})
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	return plan
}

func mustReadRefreshOnly(t *testing.T, document string) *Plan {
	t.Helper()
	plan, err := ReadDrift(strings.NewReader(document), Limit{Bytes: 1 << 20, RefreshOnly: true})
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	return plan
}

const everything = `{
	"format_version": "1.2", "terraform_version": "1.11.4",
	"variables": {"size": {"value": 3}, "size2": {"value": [1, {"a": "\u00e9\ud83d\ude00\\\""}]}},
	"planned_values": {"root_module": {"resources": [{"address": "a.b", "values": {"x": -1.5e+3}}]}},
	"resource_drift": [
		{"address": "t.drifted", "mode": "managed", "type": "t", "change": {"actions": ["update"], "before": {"x": 1}, "after": {"x": 2}}},
		{"address": "t.same", "mode": "managed", "type": "t", "change": {"actions": ["no-op"], "before": null, "after": null}}
	],
	"resource_changes": [
		{"address": "t.created", "mode": "managed", "type": "t", "change": {"actions": ["create"], "before": null, "after": {"x": 1}, "after_unknown": {"id": true}}},
		{"address": "t.deleted", "mode": "managed", "type": "t", "change": {"actions": ["delete"], "before": {"x": 1}, "after": null}},
		{"address": "t.moved", "previous_address": "t.old", "mode": "managed", "type": "t", "change": {"actions": ["no-op"], "before": {"x": 1}, "after": {"x": 1}}}
	],
	"deferred_changes": [
		{"reason": "instance_count_unknown", "resource_change": {"address": "t.later[*]", "mode": "managed", "type": "t", "change": {"actions": ["create"], "before": null, "after": {}}}}
	],
	"output_changes": {
		"url": {"actions": ["update"], "before": "a", "after": "b", "after_unknown": false, "before_sensitive": false, "after_sensitive": false},
		"same": {"actions": ["no-op"], "before": "a", "after": "a"}
	},
	"prior_state": {"values": {}}, "configuration": {"root_module": {}}, "relevant_attributes": [{"resource": "t.drifted", "attribute": ["x"]}],
	"checks": [
		{"address": {"kind": "check", "to_display": "check.up"}, "status": "fail",
		 "instances": [{"address": {"to_display": "check.up"}, "status": "fail", "problems": [{"message": "It is down."}]}]},
		{"address": {"to_display": "check.fine"}, "status": "pass", "instances": [{"address": {"to_display": "check.fine"}, "status": "pass"}]}
	],
	"timestamp": "2026-01-02T03:04:05Z", "applyable": true, "complete": false, "errored": true
}`

func TestReadTellsEverythingInAPlan(t *testing.T) {
	t.Parallel()
	got := mustRead(t, everything)
	want := &Plan{
		FormatVersion:    "1.2",
		TerraformVersion: "1.11.4",
		Counts:           Counts{Create: 1, Delete: 1, NoOp: 1, Move: 1, Drift: 1, Deferred: 1, Outputs: 1},
		ByType:           []TypeCount{{Delete, "t", 1}, {Create, "t", 1}, {Move, "t", 1}},
		Resources: []Resource{
			{Address: "t.deleted", Mode: "managed", Type: "t", Action: Delete, Attributes: []Attribute{
				{Path: "x", Old: Value{Kind: Known, Text: "1"}},
			}},
			{Address: "t.created", Mode: "managed", Type: "t", Action: Create, Attributes: []Attribute{
				{Path: "id", New: Value{Kind: Unknown}},
				{Path: "x", New: Value{Kind: Known, Text: "1"}},
			}},
			{Address: "t.moved", PreviousAddress: "t.old", Mode: "managed", Type: "t", Action: Move},
		},
		Drift: []Resource{{Address: "t.drifted", Mode: "managed", Type: "t", Action: Update, Attributes: []Attribute{
			{Path: "x", Old: Value{Kind: Known, Text: "1"}, New: Value{Kind: Known, Text: "2"}},
		}}},
		Deferred: []Resource{{Address: "t.later[*]", Mode: "managed", Type: "t", Action: Create, Reason: "instance_count_unknown"}},
		Outputs: []Output{{Name: "url", Action: Update,
			Old: Value{Kind: Known, Text: "a", String: true}, New: Value{Kind: Known, Text: "b", String: true}}},
		Checks:   []Check{{Address: "check.up", Status: "fail", Messages: []string{"It is down."}}},
		Complete: false,
		Errored:  true,
		Digest:   got.Digest,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadCountsWithoutKeeping(t *testing.T) {
	t.Parallel()
	kept := mustRead(t, everything)
	plan, err := Read(strings.NewReader(everything), Limit{})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Resources)+len(plan.Drift)+len(plan.Deferred)+len(plan.Outputs)+len(plan.Checks) != 0 {
		t.Errorf("kept %+v", plan)
	}
	if plan.Counts != kept.Counts || !cmp.Equal(plan.ByType, kept.ByType) || plan.Digest != kept.Digest {
		t.Errorf("counts, types or digest depend on the limit: %+v", plan)
	}
	if plan.Omitted != 3 || plan.ChecksOmitted != 1 {
		t.Errorf("omitted %d resources and %d checks, want 3 and 1", plan.Omitted, plan.ChecksOmitted)
	}
}

// However the document arrives, in whatever pieces, it reads the same.
func TestReadDoesNotDependOnHowTheDocumentArrives(t *testing.T) {
	t.Parallel()
	want := mustRead(t, everything)
	for name, r := range map[string]io.Reader{
		"a byte at a time":    iotest.OneByteReader(strings.NewReader(everything)),
		"half":                iotest.HalfReader(strings.NewReader(everything)),
		"data with the error": iotest.DataErrReader(strings.NewReader(everything)),
		"a bytes.Buffer":      bytes.NewBufferString(everything),
	} {
		got, err := Read(r, Limit{Bytes: 1 << 20})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestReadRefusesAPlanCutOffAnywhere(t *testing.T) {
	t.Parallel()
	for n := range len(everything) {
		plan, err := Read(strings.NewReader(everything[:n]), Limit{Bytes: 1 << 20})
		if err == nil {
			t.Fatalf("read the first %d bytes as %+v", n, plan.Counts)
		}
		if n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("the first %d bytes: error is not io.ErrUnexpectedEOF: %v", n, err)
		}
	}
}

func TestReadPassesOnTheErrorOfItsReader(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken pipe")
	for _, n := range []int{0, 1, 100, len(everything) - 1} {
		_, err := Read(io.MultiReader(strings.NewReader(everything[:n]), iotest.ErrReader(broken)), Limit{})
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestReadRefusesWhatIsNotAPlan(t *testing.T) {
	t.Parallel()
	create := `"actions":["create"],"before":null,"after":{}`
	for _, c := range []struct{ name, document, want string }{
		{"nothing", "", "it is empty"},
		{"whitespace", " \n", "it is empty"},
		{"text", "Error: no plan", "invalid JSON at byte 0"},
		{"a list", "[]", "it is not an object"},
		{"null", "null", "it is not an object"},
		{"a string", `"plan"`, "it is not an object"},
		{"no format", `{"terraform_version":"1.11.4"}`, "no format_version"},
		{"null format", `{"format_version":null}`, "no format_version"},
		{"empty format", `{"format_version":""}`, `format_version: format ""`},
		{"format 2.0", `{"format_version":"2.0"}`, `format_version: format "2.0" is not one`},
		{"format 0.2", `{"format_version":"0.2"}`, `format "0.2"`},
		{"format 10.0", `{"format_version":"10.0"}`, `format "10.0"`},
		{"format 1", `{"format_version":"1"}`, `format "1"`},
		{"format 1.x", `{"format_version":"1.x"}`, `format "1.x"`},
		{"numeric format", `{"format_version":1.2}`, "format_version: it is not a string"},
		{"format 2.0 at the end", `{"resource_changes":[],"format_version":"2.0"}`, `format "2.0"`},
		{"a state", `{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{}}}`, "it is a state, not a plan"},
		{"something after it", document() + "{}", "something follows the plan"},
		{"garbage after it", document() + "x", "after the plan: invalid JSON"},
		{"another plan after it", document() + document(), "something follows the plan"},

		{"changes that are an object", document(`"resource_changes":{}`), "resource_changes: it is not a list"},
		{"drift that is a string", document(`"resource_drift":"x"`), "resource_drift: it is not a list"},
		{"outputs that are a list", document(`"output_changes":[]`), "output_changes: it is not an object"},
		{"errored that is a string", document(`"errored":"false"`), "errored: it is not true or false"},
		{"complete that is a number", document(`"complete":1`), "complete: it is not true or false"},

		{"a null change", document(resourceChanges("null")), "resource_changes: element 0: it is not an object"},
		{"no address", document(resourceChanges(`{"change":{` + create + `}}`)), "element 0: it has no address"},
		{"an empty address", document(resourceChanges(change("", create))), "it has no address"},
		{"a numeric address", document(resourceChanges(`{"address":1,"change":{` + create + `}}`)), "its address is not a string"},
		{"a long address", document(resourceChanges(change("t."+strings.Repeat("x", maxNameBytes), create))), "its address is longer than 16 KiB"},
		{"a long type", document(resourceChanges(`{"address":"t.a","type":"` + strings.Repeat("x", maxNameBytes) + `"}`)), "its type is longer than"},
		{"no change", document(resourceChanges(`{"address":"t.a"}`)), "element 0 (t.a): its change: it is not an object"},
		{"no actions", document(resourceChanges(change("t.a", `"before":1`))), "element 0 (t.a): its actions are not a list"},
		{"actions that are a string", document(resourceChanges(change("t.a", `"actions":"create"`))), "its actions are not a list"},
		{"empty actions", document(resourceChanges(change("t.a", `"actions":[]`))), "unknown actions []"},
		{"an unknown action", document(resourceChanges(change("t.ok", create), change("t.a", `"actions":["rewind"]`))), `element 1 (t.a): unknown actions ["rewind"]: the plan may come from a newer Terraform`},
		{"an action in another case", document(resourceChanges(change("t.a", `"actions":["Create"]`))), `unknown actions ["Create"]`},
		{"actions in a senseless order", document(resourceChanges(change("t.a", `"actions":["create","create"]`))), "unknown actions"},
		{"three actions", document(resourceChanges(change("t.a", `"actions":["delete","create","delete"]`))), "unknown actions"},
		{"a null action", document(resourceChanges(change("t.a", `"actions":[null]`))), "unknown actions"},
		{"an action that is no string", document(resourceChanges(change("t.a", `"actions":["create",1]`))), "unknown actions"},
		{"importing that is a string", document(resourceChanges(change("t.a", create+`,"importing":"i-1"`))), "its importing is not an object"},
		{"an unknown output action", document(`"output_changes":{"o":{"actions":["rewind"]}}`), `output_changes: output o: unknown actions`},
		{"a null output", document(`"output_changes":{"o":null}`), "output o: it is not an object"},
		{"an unknown drift action", document(`"resource_drift":[` + change("t.a", `"actions":["rewind"]`) + `]`), "resource_drift: element 0 (t.a): unknown actions"},
		{"an unknown deferred action", document(`"deferred_changes":[{"reason":"x","resource_change":` + change("t.a", `"actions":["rewind"]`) + `}]`), "deferred_changes: element 0 (t.a): unknown actions"},
		{"a deferred change of nothing", document(`"deferred_changes":[{"reason":"x"}]`), "deferred_changes: element 0: it is not an object"},
		{"a check without address", document(`"checks":[{"status":"fail"}]`), "checks: element 0: its address: it is not an object"},
		{"a check that is a string", document(`"checks":["fail"]`), "checks: element 0: it is not an object"},

		{"changes in another case", document(`"Resource_Changes":[]`), `"resource_changes" in another case`},
		{"changes with a long s", document(`"reſource_changes":[]`), `"resource_changes" in another case`},
		{"actions in another case", document(resourceChanges(change("t.a", create+`,"ACTIONS":["delete"]`))), `"actions" in another case`},

		{"two of a member", document(resourceChanges(), resourceChanges()), "duplicate"},
		{"two of a skipped member", document(`"prior_state":{}`, `"prior_state":{}`), "duplicate"},
		{"two of a member by an escape", document(resourceChanges(), `"resource\u005fchanges":[]`), "duplicate"},
		{"two of a member in a change", document(resourceChanges(change("t.a", create+`,"actions":["delete"]`))), "element 0 (t.a): invalid JSON at byte"},
		{"two of a member in a value", document(resourceChanges(change("t.a", `"actions":["create"],"after":{"a":1,"b":2,"a":3}`))), "duplicate"},
		{"two outputs of a name", document(`"output_changes":{"o":{"actions":["create"]},"o":{"actions":["delete"]}}`), "duplicate"},
		{"two of a member in what is skipped", document(`"planned_values":{"a":{"b":1,"b":2}}`), "duplicate"},

		{"invalid UTF-8", document(`"variables":{"a":"` + "\xff" + `"}`), "invalid JSON at byte"},
		{"half a surrogate pair", document(resourceChanges(change("t.a", `"actions":["create"],"after":{"a":"\ud800"}`))), "element 0 (t.a): invalid JSON at byte"},
		{"a control character", document(`"variables":{"a":"` + "\x00" + `"}`), "invalid JSON at byte"},
		{"a number with a leading zero", document(`"variables":{"a":01}`), "invalid JSON at byte"},
		{"NaN", document(`"variables":{"a":NaN}`), "invalid JSON at byte"},
		{"a trailing comma", document(resourceChanges(change("t.a", create) + ",")), "invalid JSON at byte"},
		{"a missing comma", document(resourceChanges(change("t.a", create) + change("t.b", create))), "invalid JSON at byte"},
		{"a comment", "// plan\n" + document(), "invalid JSON at byte 0"},
		{"a byte order mark", "\ufeff" + document(), "invalid JSON at byte 0"},
		{"mismatched brackets", document(`"variables":{"a":[1}`), "invalid JSON at byte"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan, err := Read(strings.NewReader(c.document), Limit{Bytes: 1 << 20})
			if err == nil {
				t.Fatalf("read as %+v", plan)
			}
			if !strings.HasPrefix(err.Error(), "read plan JSON: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %q, want it to say %q", err, c.want)
			}
		})
	}
}

func TestReadToleratesWhatLaterMinorVersionsAdd(t *testing.T) {
	t.Parallel()
	plan := mustRead(t, `{"format_version":"1.99","new":[{"x":[]}],"resource_changes":[
		{"address":"t.a","type":"t","mode":"managed","index_unknown":true,"new":{"deep":[1]},
		 "change":{"actions":["create"],"before":null,"after":{},"new":1,"generated_config":"resource {}","before_identity":{"id":"x"}}}]}`)
	if plan.Counts != (Counts{Create: 1}) || !plan.Complete || plan.Errored || !slices.Equal(plan.Unknown, []string{"new"}) {
		t.Errorf("read as %+v", plan)
	}
}

func TestReadNamesABoundedNumberOfMembersThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	members := []string{`"variables":{}`, `"planned_values":{}`, `"prior_state":{}`, `"timestamp":"x"`, `"nothing":null`}
	for i := range 2 * maxUnknown {
		members = append(members, fmt.Sprintf(`"%s%d":1`, strings.Repeat("x", 2*maxUnknownText), i))
	}
	plan := mustRead(t, document(members...))
	if len(plan.Unknown) != maxUnknown || plan.UnknownOmitted != maxUnknown || len(plan.Unknown[0]) > maxUnknownText+len("…") {
		t.Errorf("named %q and omitted %d", plan.Unknown, plan.UnknownOmitted)
	}
}

func TestReadTakesNullForAbsent(t *testing.T) {
	t.Parallel()
	plan := mustRead(t, document(`"resource_changes":null`, `"output_changes":null`, `"checks":null`, `"complete":null`,
		`"deferred_changes":null`, `"resource_drift":null`, `"errored":null`, `"action_invocations":null`))
	if plan.Counts != (Counts{}) || !plan.Complete || plan.Errored {
		t.Errorf("read as %+v", plan)
	}
}

func TestReadTakesAPlanThatFailedBeforeAnyChange(t *testing.T) {
	t.Parallel()
	plan := mustRead(t, `{"format_version":"1.2","terraform_version":"1.11.4","planned_values":{},"configuration":{},"applyable":false,"complete":false,"errored":true}`)
	if !plan.Errored || plan.Complete || plan.Counts.Any() {
		t.Errorf("read as %+v", plan)
	}
}

// An error must not tell what is in the plan: it may be a secret.
func TestErrorsDoNotQuoteThePlan(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, members := range []string{
		`"actions":["create"],"after":{"` + secret + `":1,"` + secret + `":2}`,
		`"actions":["create"],"after":{"password":"` + secret + "\x01" + `"}`,
		`"actions":["create"],"after":{"password":"` + secret + `"`,
		`"actions":["create"],"after":{"password":` + secret + `}`,
		`"actions":["create"],"importing":"` + secret + `"`,
		`"actions":["create"],"after":{"password":"` + secret + `\x"}`,
	} {
		_, err := Read(strings.NewReader(document(resourceChanges(change("t.a", members)))), Limit{Bytes: 1 << 20})
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error is %v", err)
		}
	}
}
