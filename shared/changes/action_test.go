package changes

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryActionIsCountedAsTerraformSumsItUp(t *testing.T) {
	t.Parallel()
	type shown struct {
		Action      Action
		CreateFirst bool
		Forgets     bool
	}
	for _, c := range []struct {
		actions string
		counts  Counts
		byType  []TypeCount
		shown   *shown
	}{
		{`["no-op"]`, Counts{NoOp: 1}, nil, nil},
		{`["create"]`, Counts{Create: 1}, []TypeCount{{Create, "t", 1}}, &shown{Action: Create}},
		{`["read"]`, Counts{Read: 1}, []TypeCount{{ReadData, "t", 1}}, &shown{Action: ReadData}},
		{`["update"]`, Counts{Update: 1}, []TypeCount{{Update, "t", 1}}, &shown{Action: Update}},
		{`["delete"]`, Counts{Delete: 1}, []TypeCount{{Delete, "t", 1}}, &shown{Action: Delete}},
		{`["delete","create"]`, Counts{Replace: 1}, []TypeCount{{Replace, "t", 1}}, &shown{Action: Replace}},
		{`["create","delete"]`, Counts{Replace: 1}, []TypeCount{{Replace, "t", 1}}, &shown{Action: Replace, CreateFirst: true}},
		{`["forget"]`, Counts{Forget: 1}, []TypeCount{{Forget, "t", 1}}, &shown{Action: Forget}},
		{`["create","forget"]`, Counts{Create: 1, Forget: 1}, []TypeCount{{Forget, "t", 1}, {Create, "t", 1}}, &shown{Replace, true, true}},
		{`["forget","create"]`, Counts{Create: 1, Forget: 1}, []TypeCount{{Forget, "t", 1}, {Create, "t", 1}}, &shown{Replace, false, true}},
		{`["open"]`, Counts{NoOp: 1}, nil, nil},
	} {
		plan := mustRead(t, document(resourceChanges(change("t.a", `"actions":`+c.actions))))
		if plan.Counts != c.counts {
			t.Errorf("%s: counted %+v", c.actions, plan.Counts)
		}
		if diff := cmp.Diff(c.byType, plan.ByType); diff != "" {
			t.Errorf("%s: %s", c.actions, diff)
		}
		var got *shown
		if len(plan.Resources) > 0 {
			r := plan.Resources[0]
			got = &shown{r.Action, r.CreateFirst, r.Forgets}
		}
		if diff := cmp.Diff(c.shown, got); diff != "" {
			t.Errorf("%s: %s", c.actions, diff)
		}
	}
}

func TestImportsAndMovesAreCountedBesideTheAction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, element string
		counts        Counts
		action        Action // "" for none
	}{
		{"import", `{"address":"t.a","type":"t","change":{"actions":["no-op"],"importing":{"id":"i"}}}`, Counts{NoOp: 1, Import: 1}, Import},
		{"import by identity", `{"address":"t.a","type":"t","change":{"actions":["no-op"],"importing":{"identity":{"id":"i"}}}}`, Counts{NoOp: 1, Import: 1}, Import},
		{"import of the unknown", `{"address":"t.a","type":"t","change":{"actions":["create"],"importing":{"unknown":true}}}`, Counts{Create: 1, Import: 1}, Create},
		{"import and update", `{"address":"t.a","type":"t","change":{"actions":["update"],"importing":{"id":"i"}}}`, Counts{Update: 1, Import: 1}, Update},
		{"import of nothing", `{"address":"t.a","type":"t","change":{"actions":["no-op"],"importing":{}}}`, Counts{NoOp: 1, Import: 1}, Import},
		{"no import", `{"address":"t.a","type":"t","change":{"actions":["no-op"],"importing":null}}`, Counts{NoOp: 1}, ""},
		{"move", `{"address":"t.a","previous_address":"t.b","type":"t","change":{"actions":["no-op"]}}`, Counts{NoOp: 1, Move: 1}, Move},
		{"move and replace", `{"address":"t.a","previous_address":"t.b","type":"t","change":{"actions":["delete","create"]}}`, Counts{Replace: 1, Move: 1}, Replace},
		{"no move", `{"address":"t.a","previous_address":"t.a","type":"t","change":{"actions":["no-op"]}}`, Counts{NoOp: 1}, ""},
		{"no previous address", `{"address":"t.a","previous_address":null,"type":"t","change":{"actions":["no-op"]}}`, Counts{NoOp: 1}, ""},
	} {
		plan := mustRead(t, document(resourceChanges(c.element)))
		if plan.Counts != c.counts {
			t.Errorf("%s: counted %+v", c.name, plan.Counts)
		}
		var action Action
		if len(plan.Resources) > 0 {
			action = plan.Resources[0].Action
		}
		if action != c.action {
			t.Errorf("%s: told as %q", c.name, action)
		}
		if c.action != "" && !plan.Counts.Any() {
			t.Errorf("%s: taken for a plan that does nothing", c.name)
		}
	}
}

func TestDriftIsWhatChangedOrMoved(t *testing.T) {
	t.Parallel()
	plan := mustReadRefreshOnly(t, document(`"resource_drift":[
		{"address":"t.a","type":"t","change":{"actions":["update"],"before":{"x":1},"after":{"x":2}}},
		{"address":"t.b","type":"t","change":{"actions":["delete"]}},
		{"address":"t.c","type":"t","previous_address":"t.x","change":{"actions":["no-op"]}},
		{"address":"t.d","type":"t","change":{"actions":["no-op"]}}]`))
	var got []string
	for _, r := range plan.Drift {
		got = append(got, fmt.Sprintf("%s %s", r.Action, r.Address))
	}
	if want := []string{"delete t.b", "update t.a", "move t.c"}; !slices.Equal(got, want) || plan.Counts.Drift != 3 {
		t.Errorf("told %q and counted %d", got, plan.Counts.Drift)
	}
	if len(plan.ByType) != 0 || plan.Counts.Any() {
		t.Errorf("drift is counted as a change: %+v", plan)
	}
}

// Resources of one action and type are told in the document's order; types by name.
func TestOrderOfResourcesAndTypes(t *testing.T) {
	t.Parallel()
	plan := mustRead(t, document(resourceChanges(
		change("b.2", `"actions":["create"]`), change("a.1", `"actions":["create"]`), change("c.1", `"actions":["read"]`),
		change("b.1", `"actions":["delete"]`), change("a.2", `"actions":["create"]`))))
	var got []string
	for _, r := range plan.Resources {
		got = append(got, r.Address)
	}
	if want := []string{"b.1", "b.2", "a.1", "a.2", "c.1"}; !slices.Equal(got, want) {
		t.Errorf("resources are %q", got)
	}
	want := []TypeCount{{Delete, "b", 1}, {Create, "a", 2}, {Create, "b", 1}, {ReadData, "c", 1}}
	if diff := cmp.Diff(want, plan.ByType); diff != "" {
		t.Error(diff)
	}
}
