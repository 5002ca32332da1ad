package planned

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

func TestTextHasEachChangeInTerraformsSigns(t *testing.T) {
	t.Parallel()
	str := func(s string) changes.Value { return changes.Value{Kind: changes.Known, Text: s, String: true} }
	c := &changes.Plan{
		Complete: true, Counts: changes.Counts{Update: 1, Delete: 1, Drift: 1, Outputs: 1}, Omitted: 2,
		Resources: []changes.Resource{
			{Address: "a.update", Action: changes.Update, Attributes: []changes.Attribute{
				{Path: "size", Old: str("! 1"), New: str("2")},
				{Path: "password", Old: changes.Value{Kind: changes.Sensitive}, New: changes.Value{Kind: changes.Sensitive}},
				{Path: "script", Old: str("one\n! two\n"), New: str("one\n! three\n")},
			}},
			{Address: "a.delete\n::error::x", Action: changes.Delete, Reason: "delete_because_no_module"},
			{Address: "a.other", Action: "sleep"},
		},
		Drift:   []changes.Resource{{Address: "a.update", Action: changes.Update, Attributes: []changes.Attribute{{Path: "size", Old: str("0"), New: str("1")}}}},
		Outputs: []changes.Output{{Name: "url", New: str("x")}},
	}
	const want = `1 to change, 1 to destroy · 1 output to change · 1 changed outside Terraform

destroy a.delete\n::error::x: its module is no longer in the configuration

change a.update
    ~ size = "! 1" → "2"
    ~ password = (sensitive) → (sensitive)
    ~ script = text:
        one
    -   ! two
    +   ! three

sleep a.other

and 2 more resources, not shown here

changed outside Terraform: a.update
    ~ size = "0" → "1"

outputs
    + url = "x"
`
	if got := string(Text(c, 1<<20)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := Text(&changes.Plan{Complete: true, Counts: changes.Counts{NoOp: 4}}, 1<<20); got != nil {
		t.Errorf("without changes: %s", got)
	}
}

func TestTextStopsAtItsLimit(t *testing.T) {
	t.Parallel()
	c := &changes.Plan{Complete: true, Counts: changes.Counts{Create: 1005}, Omitted: 5}
	for i := range 1000 {
		c.Resources = append(c.Resources, changes.Resource{Address: fmt.Sprintf("a.b[%d]", i), Action: changes.Create})
	}
	got := string(Text(c, 300))
	shown := strings.Count(got, "create a.b[")
	if len(got) > 400 || shown == 0 || !strings.Contains(got, "and "+markdown.Count(1005-shown, "more resource")) {
		t.Errorf("%d resources in %d bytes:\n%s", shown, len(got), got)
	}
}

func TestTextNamesActionsAndWhatIsUnknown(t *testing.T) {
	t.Parallel()
	c := &changes.Plan{
		Complete: true, Counts: changes.Counts{Invoke: 2, Drift: 3}, DriftLeftOut: 3, Unknown: []string{"later\nline"},
		Invocations: []changes.Invocation{{Address: "action.x.y", Trigger: "a.b", Event: "AfterCreate", Settings: []changes.Attribute{{Path: "name", New: quote("n")}}}},
	}
	want := "2 actions to invoke\n\ninvoke action.x.y: after a.b is created\n    + name = \"n\"\n\nand 1 more action, not shown here\n\n" + whatIsUnknown + "\n    "
	if got := string(Text(c, 1<<20)); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != strings.Count(want, "\n")+1 {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(Text(c, 1)); !strings.Contains(got, "and 2 more actions") {
		t.Errorf("%q", got)
	}
	if got := Text(&changes.Plan{Complete: true, Counts: changes.Counts{Drift: 3}, DriftLeftOut: 3}, 1<<20); got != nil {
		t.Errorf("%q", got)
	}
}
