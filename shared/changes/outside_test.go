package changes

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// What is the same to a provider, and what is not, by type of the attribute.
func TestNullInPlaceOfAnEmptyValueIsNoDrift(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, after string
		drifted       bool
	}{
		{`null`, `""`, false}, {`""`, `null`, false}, {`null`, `[]`, false}, {`[]`, `null`, false}, {`null`, `{}`, false}, {`{}`, `null`, false},
		{`[{"a":null,"b":[]}]`, `[{"a":"","b":null}]`, false},
		{`{"a":{"b":{"c":null}}}`, `{"a":{"b":{"c":{}}}}`, false},
		{`[{"a":1,"b":null},{"a":2}]`, `[{"a":2},{"a":1,"b":""}]`, false}, // a set is sorted by its values
		{`[{"a":1},{"a":2}]`, `[{"a":2},{"a":1}]`, true},                  // a list
		{`[{"a":1,"b":null},{"a":2}]`, `[{"a":2},{"a":3,"b":""}]`, true},
		{`[{"a":1,"b":null}]`, `[{"a":1,"b":""},{"a":2}]`, true},
		{`["x",null]`, `["x",""]`, false},
		{`null`, `0`, true}, {`null`, `false`, true}, {`0`, `null`, true}, {`false`, `null`, true},
		{`""`, `"x"`, true}, {`"x"`, `""`, true}, {`"x"`, `null`, true}, {`null`, `" "`, true},
		{`""`, `[]`, true}, {`[]`, `{}`, true},
		{`[]`, `[""]`, true}, {`[""]`, `[]`, true}, {`null`, `[""]`, true}, {`[null]`, `[]`, true},
		{`{}`, `{"a":""}`, true}, {`{"a":""}`, `{}`, true}, {`{"a":""}`, `null`, true}, {`null`, `{"a":""}`, true},
		{`[]`, `[{"a":null}]`, true}, {`[{"a":null}]`, `[]`, true}, {`null`, `{"a":null}`, false},
		{`{"a":"","b":1}`, `{"a":null,"b":2}`, true},
	} {
		for _, marks := range []string{"", `,"before_sensitive":{"x":true},"after_sensitive":{"x":true}`} {
			drift := `"resource_drift":[` + change("t.a", `"actions":["update"],"before":{"id":1,"x":`+c.before+`},"after":{"id":1,"x":`+c.after+`}`+marks) + `]`
			plan := mustReadRefreshOnly(t, document(drift))
			none := mustReadRefreshOnly(t, document())
			if shown := plan.Outside() == 1; shown != c.drifted || len(plan.Drift) != plan.Outside() || plan.Counts.Drift != 1 || (plan.VisibleDrift != none.VisibleDrift) != c.drifted {
				t.Errorf("%s > %s%s: drifted is %t", c.before, c.after, marks, shown)
			}
			if c.drifted && len(plan.Drift[0].Attributes) == 0 {
				t.Errorf("%s > %s%s: drifted, and nothing shows it", c.before, c.after, marks)
			}
		}
	}
}

func TestOnlyDriftThatContributedToThePlanIsShown(t *testing.T) {
	t.Parallel()
	drift := `"resource_drift":[` + strings.Join([]string{
		change("t.a", `"actions":["update"],"before":{"m":{"k":1},"n":1,"e":null},"after":{"m":{"k":2},"n":1,"e":""}`),
		change("t.gone", `"actions":["delete"],"before":{"n":1},"after":null`),
		change("t.list[0]", `"actions":["update"],"before":{"l":[{"p":1}]},"after":{"l":[{"p":2}]}`),
	}, ",") + `]`
	attribute := func(resource, path string) string {
		return `"relevant_attributes":[{"resource":"t.other","attribute":["m"]},{"resource":"` + resource + `","attribute":` + path + `}]`
	}
	for relevant, want := range map[string][]string{
		`"relevant_attributes":[]`:               nil,
		attribute("t.a", `["m"]`):                {"t.a"},
		attribute("t.a", `["m","k"]`):            {"t.a"},
		attribute("t.a", `["m","k","deeper"]`):   {"t.a"},
		attribute("t.a", `["m","other"]`):        nil,
		attribute("t.a", `["mm"]`):               nil,
		attribute("t.a", `["n"]`):                nil,
		attribute("t.a", `["e"]`):                nil, // null in place of ""
		attribute("t.a", `[]`):                   {"t.a"},
		attribute("t.gone", `["id"]`):            {"t.gone"},
		attribute("t.list[0]", `["l",0,"p"]`):    {"t.list[0]"},
		attribute("t.list[0]", `["l",0,"q"]`):    nil,
		attribute("t.list", `["l"]`):             nil,
		attribute("", `["l"]`):                   {"t.gone", "t.a", "t.list[0]"},
		attribute("t.list[0]", `["l",{"x":1}]`):  {"t.list[0]"},
		attribute("t.list[0]", `["l","p"]`):      nil,
		attribute("t.a[0]", `["m"]`):             nil,
		`"planned_values":{}`:                    nil,
		attribute("t.gone", `["anything","at"]`): {"t.gone"},
	} {
		for _, limit := range []int{0, 1 << 20} {
			plan, err := Read(strings.NewReader(document(drift, relevant)), Limit{Bytes: limit})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range plan.Drift {
				got = append(got, r.Address)
			}
			if plan.Outside() != len(want) || limit > 0 && !slices.Equal(got, want) || plan.Counts.Drift != 3 {
				t.Errorf("%s: shows %q of %d, want %q", relevant, got, plan.Outside(), want)
			}
		}
	}
	// In another order nothing can be compared, so all of it is shown.
	if plan := mustRead(t, document(`"relevant_attributes":[]`, drift)); plan.Outside() != 3 || len(plan.Drift) != 3 {
		t.Errorf("after relevant_attributes it shows %d", plan.Outside())
	}
}

// What is not remembered counts as relevant: the memory is bounded, and nothing gets lost.
func TestDriftBeyondWhatIsRememberedIsShown(t *testing.T) {
	t.Parallel()
	var o outside
	name := strings.Repeat("x", 1000)
	n := 2 * maxOutsideBytes / len(name)
	for i := range n {
		o.add(fmt.Sprint(name, i), &outsideResource{count: 1})
	}
	p := Plan{Counts: Counts{Drift: n}}
	o.leaveOut(&p)
	if o.bytes > maxOutsideBytes || p.DriftLeftOut == 0 || p.Outside() < n/2 {
		t.Errorf("remembers %d bytes, and leaves out %d of %d", o.bytes, p.DriftLeftOut, n)
	}

	var many outsideResource
	for i := range maxOutsidePaths + 1 {
		many.leaf([]step{{name: fmt.Sprint(i)}})
	}
	if !many.whole || many.paths != nil {
		t.Errorf("remembers %d paths", len(many.paths))
	}
}

// The plans of a real provider, with what Terraform prints for people. testdata/outside/README.md
// says which, and how they were made.
func TestRealDriftBesideWhatTerraformPrints(t *testing.T) {
	t.Parallel()
	table := "| Plan | Resource | Attribute | Before | After | Terraform prints | Shown |\n| :-- | :-- | :-- | :-- | :-- | :-- | :-- |\n"
	for _, name := range []string{"change-after-apply", "output-reads-drift", "refresh-only"} {
		read := func(suffix string) []byte {
			content, err := os.ReadFile(filepath.Join("testdata/outside", name+suffix))
			if err != nil {
				t.Fatal(err)
			}
			return content
		}
		document := read(".json")
		plan, err := ReadDrift(strings.NewReader(string(document)), Limit{Bytes: 1 << 20, RefreshOnly: name == "refresh-only"})
		if err != nil {
			t.Fatal(err)
		}
		shown := map[string]bool{}
		for _, r := range plan.Drift {
			for _, a := range r.Attributes {
				first, _, _ := strings.Cut(strings.SplitN(a.Path, "[", 2)[0], ".")
				shown[r.Address+" "+first] = true
			}
		}
		if len(plan.Drift) != plan.Outside() {
			t.Errorf("%s: counts %d, and shows %d", name, plan.Outside(), len(plan.Drift))
		}
		printed := printedByTerraform(string(read(".txt")))
		var decoded struct {
			Drift []struct {
				Address string
				Change  struct{ Before, After map[string]json.RawMessage }
			} `json:"resource_drift"`
		}
		if err := json.Unmarshal(document, &decoded); err != nil {
			t.Fatal(err)
		}
		yes := map[bool]string{true: "yes"}
		for _, r := range decoded.Drift {
			for _, attribute := range slices.Sorted(maps.Keys(r.Change.After)) {
				before, after := compact(t, r.Change.Before[attribute]), compact(t, r.Change.After[attribute])
				if before == after {
					continue
				}
				key := r.Address + " " + attribute
				if shown[key] && !printed[key] && !slices.ContainsFunc(plan.Drift, func(d Resource) bool { return d.Address == r.Address }) {
					t.Errorf("%s: %s is shown, and Terraform does not print it", name, key)
				}
				table += fmt.Sprintf("| %s | `%s` | `%s` | `%s` | `%s` | %s | %s |\n", name, r.Address, attribute, cutText(before, 150), cutText(after, 150), yes[printed[key]], yes[shown[key]])
			}
		}
		table += fmt.Sprintf("| %s | all | | | | %d resources | %d resources, and %d left out |\n", name, len(printedResources(string(read(".txt")))), plan.Outside(), plan.DriftLeftOut)
	}
	golden := "testdata/outside/table.md"
	if *update {
		if err := os.WriteFile(golden, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), table); diff != "" {
		t.Error(diff)
	}
}

func compact(t *testing.T, value []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, value); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	changedOutside   = regexp.MustCompile(`(?m)^  # (.*) has (?:changed|been deleted)$`)
	changedAttribute = regexp.MustCompile(`(?m)^      [-+~] (\w+)\b`)
)

// printedResources are the parts of Terraform's note about what changed outside of it.
func printedResources(text string) map[string]string {
	_, text, _ = strings.Cut(text, "Objects have changed outside of Terraform")
	text, _, _ = strings.Cut(text, "\nUnless you have made")
	all := map[string]string{}
	places := changedOutside.FindAllStringSubmatchIndex(text, -1)
	for i, p := range places {
		end := len(text)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		all[text[p[2]:p[3]]] = text[p[1]:end]
	}
	return all
}

// printedByTerraform are the attributes in that note.
func printedByTerraform(text string) map[string]bool {
	all := map[string]bool{}
	for address, part := range printedResources(text) {
		for _, m := range changedAttribute.FindAllStringSubmatch(part, -1) {
			all[address+" "+m[1]] = true
		}
	}
	return all
}
