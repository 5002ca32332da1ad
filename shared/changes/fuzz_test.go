package changes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"
)

func addSeeds(f *testing.F) {
	seeds := []string{
		everything, document(configured), document(), "{}", "[]", "", "null", `{"format_version":"2.0"}`,
		document(resourceChanges(change("t.a", `"actions":["delete","create"],"before":{"a":[1,2,{"x":"s"}]},"after":{"a":[2,{"x":"t"}]},"after_unknown":{"a":[false,{"y":true}]},"before_sensitive":{"a":[false,false,{"x":true}]},"replace_paths":[["a",2,"x"]]`))),
		document(resourceChanges(change("t.a", `"actions":["create","forget"],"importing":{"id":"x"}`))),
		document(resourceChanges(`{"address":"t.a","previous_address":"t.b","deposed":"x","change":{"actions":["no-op"]}}`)),
		document(`"output_changes":{"o":{"actions":["update"],"before":1e5,"after":"\ud83d\ude00","after_sensitive":true}}`),
		document(`"Resource_changes":[{"change":{"actions":["delete"]}}]`),
		document(resourceChanges(change("t.a", `"actions":["create"],"Actions":["delete"]`))),
		document(`"deferred_changes":[{"resource_change":`+change("t.a", `"actions":["create"]`)+`}]`, `"resource_drift":[`+change("t.a", `"actions":["update"]`)+`]`),
		document(`"action_invocations":[{"address":"action.a.b","config_values":{"x":[1]},"config_sensitive":{"x":true},"lifecycle_action_trigger":{"action_trigger_event":"AfterCreate"}}]`, `"relevant_attributes":[{"resource":"t.a","attribute":["x",0]},{"resource":"","attribute":[]}]`, `"checks":[{"address":{"to_display":"c"},"status":"error","instances":[{}]}]`),
		document(resourceChanges(change("t.a", `"actions":["update"],"after":[[[[[[[[]]]]]]]],"before":{"\u0061":{"":null}},"after_sensitive":[null,1,"x"]`))),
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
		f.Add([]byte(seed)[:len(seed)/2])
	}
}

func FuzzRead(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		plan, err := Read(bytes.NewReader(data), Limit{Bytes: 1 << 16})
		if err != nil {
			if plan != nil {
				t.Error("a plan comes with an error")
			}
			if !utf8.ValidString(err.Error()) || len(err.Error()) > 2000 {
				t.Errorf("error is %.3000q", err)
			}
			return
		}
		if !jsontext.Value(data).IsValid() {
			t.Errorf("accepted what is not I-JSON")
		}
		var decoded tfjson.Plan
		if err := json.Unmarshal(data, &decoded); err == nil {
			if want := countDecoded(&decoded); plan.Counts != want {
				t.Errorf("counted %+v, terraform-json %+v", plan.Counts, want)
			}
		}
		if !utf8.ValidString(fmt.Sprint(plan)) {
			t.Error("kept invalid UTF-8")
		}
		changed, kinds := plan.Omitted+len(plan.Resources), 0
		for _, k := range plan.ByType {
			kinds += k.Count
		}
		n := plan.Counts
		if plan.Omitted < 0 || plan.ChecksOmitted < 0 || changed > kinds || kinds > n.Create+n.Update+n.Delete+n.Replace+n.Forget+n.Read+n.NoOp {
			t.Errorf("does not add up: %+v", plan)
		}
		bare, err := Read(bytes.NewReader(data), Limit{})
		if err != nil {
			t.Fatalf("depends on the limit: %v", err)
		}
		if bare.Counts != plan.Counts || bare.Digest != plan.Digest || !cmp.Equal(bare.ByType, plan.ByType) || bare.Omitted != changed {
			t.Errorf("counts depend on the limit: %+v and %+v", plan, bare)
		}
		var space bytes.Buffer
		if json.Indent(&space, data, "\t", " ") == nil {
			again, err := Read(&space, Limit{Bytes: 1 << 16})
			if err != nil || !cmp.Equal(plan, again) {
				t.Errorf("depends on whitespace: %v", err)
			}
		}
	})
}
