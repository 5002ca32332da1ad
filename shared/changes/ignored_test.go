package changes

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
)

// ignoreRules are rules, each as ADDRESS: PATH.
func ignoreRules(t testing.TB, texts ...string) (rules []ignore.Rule) {
	t.Helper()
	for _, text := range texts {
		address, path, _ := strings.Cut(text, ": ")
		a, err := ignore.ParseAddress(address)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ignore.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, ignore.Rule{Address: a, Path: p})
	}
	return rules
}

func mustReadIgnoring(t testing.TB, document string, refreshOnly bool, rules ...string) *Plan {
	t.Helper()
	p, err := ReadDrift(strings.NewReader(document), Limit{Bytes: 1 << 20, RefreshOnly: refreshOnly, Ignore: ignoreRules(t, rules...)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// leaves are the paths of the attributes of resources.
func leaves(resources []Resource) (all []string) {
	for _, r := range resources {
		for _, a := range r.Attributes {
			all = append(all, r.Address+" "+a.Path)
		}
	}
	return all
}

// What can be ignored, in a plan and in a refresh-only plan.
func TestOnlyDifferencesOfAnUpdateInPlaceAreIgnored(t *testing.T) {
	t.Parallel()
	const sides = `"before":{"n":1,"m":{"a":1},"tags":{"k":"x"},"tags_all":{"k":"x","d":"1"}},"after":{"n":2,"m":{"a":1},"tags":{"k":"y"},"tags_all":{"k":"y","d":"1"}}`
	for name, c := range map[string]struct {
		change  string
		rules   []string
		left    []string // paths that are shown; nil: it is ignored as a whole
		ignored []string
	}{
		"all":              {`"actions":["update"],` + sides, []string{"t.a: n", "t.*: tags.k"}, nil, []string{"t.a n", "t.a tags.k", "t.a tags_all.k"}},
		"everything":       {`"actions":["update"],` + sides, []string{"**: **"}, nil, []string{"t.a n", "t.a tags.k", "t.a tags_all.k"}},
		"one of several":   {`"actions":["update"],` + sides, []string{"t.a: n"}, []string{"t.a tags.k", "t.a tags_all.k"}, []string{"t.a n"}},
		"another resource": {`"actions":["update"],` + sides, []string{"t.b: n", "module.t.a.b: tags"}, []string{"t.a n", "t.a tags.k", "t.a tags_all.k"}, nil},
		"a default tag":    {`"actions":["update"],"before":{"tags":{"k":1},"tags_all":{"k":1,"d":1}},"after":{"tags":{"k":2},"tags_all":{"k":2,"d":2}}`, []string{"t.a: tags"}, []string{"t.a tags_all.d"}, []string{"t.a tags.k", "t.a tags_all.k"}},
		"an unknown value": {`"actions":["update"],"before":{"n":1,"v":1},"after":{"n":2},"after_unknown":{"v":true}`, []string{"t.a: n"}, []string{"t.a v"}, []string{"t.a n"}},
		"a named unknown":  {`"actions":["update"],"before":{"n":1,"v":1},"after":{"n":2},"after_unknown":{"v":true}`, []string{"t.a: n", "t.a: v"}, nil, []string{"t.a n", "t.a v"}},
		"a sensitive value": {`"actions":["update"],"before":{"p":"secret-1"},"after":{"p":"secret-2"},"before_sensitive":{"p":true},"after_sensitive":{"p":true}`,
			[]string{"t.a: p"}, nil, []string{"t.a p"}},
		"a move": {`"actions":["update"],` + sides + `},"previous_address":"t.old","x":{"y":1`, []string{"**: **"}, []string{"t.a n", "t.a tags.k", "t.a tags_all.k"}, nil},
		"a part of a sensitive value": {`"actions":["update"],"before":{"p":{"k":"secret-1"}},"after":{"p":{"k":"secret-2"}},"before_sensitive":{"p":true},"after_sensitive":{"p":true}`,
			[]string{"t.a: p.k"}, []string{"t.a p"}, nil},
		"blocks":    {`"actions":["update"],"before":{"b":[{"d":"x","p":1},{"d":"y","p":2}]},"after":{"b":[{"d":"z","p":1},{"d":"w","p":2}]}`, []string{"t.a: b.*.d"}, nil, []string{"t.a b[0].d", "t.a b[1].d"}},
		"one block": {`"actions":["update"],"before":{"b":[{"d":"x"},{"d":"y"}]},"after":{"b":[{"d":"z"},{"d":"w"}]}`, []string{"t.a: b[1]"}, []string{"t.a b[0].d"}, []string{"t.a b[1].d"}},

		"a block more":             {`"actions":["update"],"before":{"b":[{"d":"x","p":1}]},"after":{"b":[{"d":"x","p":1},{"d":"y","p":null}]}`, []string{"t.a: b.*.d"}, []string{"t.a b[1].d"}, nil},
		"a block less":             {`"actions":["update"],"before":{"b":[{"c":[{"d":"x"}]},{"d":"y"}]},"after":{"b":[{"c":[]},{"d":"z"}]}`, []string{"t.a: b.*.c.*.d", "t.a: b.*.d"}, []string{"t.a b[0].c[0].d"}, []string{"t.a b[1].d"}},
		"a block more, as a whole": {`"actions":["update"],"before":{"b":[{"d":"x","p":1}]},"after":{"b":[{"d":"x","p":1},{"d":"y","p":2}]}`, []string{"t.a: b.*"}, nil, []string{"t.a b[1].d", "t.a b[1].p"}},
		"an element more":          {`"actions":["update"],"before":{"l":["x"]},"after":{"l":["x","y"]}`, []string{"t.a: l.*"}, nil, []string{"t.a l[1]"}},
		"a map that was null":      {`"actions":["update"],"before":{"tags":null},"after":{"tags":{"k":"y"}}`, []string{"t.a: tags.k"}, nil, []string{"t.a tags.k"}},

		"nothing but marks": {`"actions":["update"],"before":{"n":1},"after":{"n":1},"after_sensitive":{"n":true}`, []string{"**: **"}, []string{}, nil},
		"a replacement":     {`"actions":["delete","create"],"replace_paths":[["n"]],` + sides, []string{"**: **"}, []string{"t.a n", "t.a tags.k", "t.a tags_all.k"}, nil},
		"a creation":        {`"actions":["create"],"before":null,"after":{"n":1}`, []string{"**: **"}, []string{"t.a n"}, nil},
		"a deletion":        {`"actions":["delete"],"before":{"n":1},"after":null`, []string{"**: **"}, []string{"t.a n"}, nil},
		"an import":         {`"actions":["update"],"importing":{"id":"i"},` + sides, []string{"**: **"}, []string{"t.a n", "t.a tags.k", "t.a tags_all.k"}, nil},
		"a forgotten one":   {`"actions":["forget"],"before":{"n":1},"after":null`, []string{"**: **"}, []string{"t.a n"}, nil},
	} {
		for member, refreshOnly := range map[string]bool{"resource_changes": false, "resource_drift": true} {
			plan := mustReadIgnoring(t, document(`"`+member+`":[`+change("t.a", c.change)+`]`), refreshOnly, c.rules...)
			shown, number := plan.Resources, plan.Shown().Update+plan.Shown().Adds()+plan.Shown().Destroys()+plan.Shown().Forget
			if refreshOnly {
				shown, number = plan.Drift, plan.Outside()
				if name == "nothing but marks" || name == "an import" {
					continue // neither is in resource_drift
				}
			}
			if diff := cmp.Diff(c.left, leaves(shown)); diff != "" && len(c.left) > 0 {
				t.Errorf("%s, %s: shown: %s", name, member, diff)
			}
			if diff := cmp.Diff(c.ignored, leaves(plan.Ignored.Resources)); diff != "" {
				t.Errorf("%s, %s: ignored: %s", name, member, diff)
			}
			whole := c.left == nil
			if (number == 0) != whole || len(plan.Drift)+len(plan.Resources) == 0 != whole || (len(plan.ByType) == 0) != whole && !refreshOnly {
				t.Errorf("%s, %s: ignored as a whole is %t, and %d are shown, by type %v", name, member, whole, number, plan.ByType)
			}
			if !refreshOnly && plan.OnlyIgnored() != whole {
				t.Errorf("%s: only ignored is %t", name, plan.OnlyIgnored())
			}
		}
	}
}

// What is ignored may change from day to day: the drift stays the same.
func TestWhatIsIgnoredIsNoPartOfWhatDrifted(t *testing.T) {
	t.Parallel()
	of := func(n, ignored string, rules ...string) *Plan {
		return mustReadIgnoring(t, document(`"resource_changes":[`+
			change("t.a", `"actions":["update"],"before":{"n":`+n+`,"c":`+ignored+`},"after":{"n":1,"c":1}`)+`,`+
			change("t.b", `"actions":["update"],"before":{"c":`+ignored+`},"after":{"c":1}`)+`]`), false, rules...)
	}
	a, b, c := of("5", "6", "t.*: c"), of("5", "7", "t.*: c"), of("4", "6", "t.*: c")
	if a.Visible != b.Visible || a.Visible == c.Visible || a.Visible == of("5", "6").Visible {
		t.Error(a.Visible, b.Visible, c.Visible)
	}
	if a.Digest == b.Digest || a.Digest != of("5", "6").Digest || a.Counts != of("5", "6").Counts {
		t.Error("what the plan does is not what it is without rules")
	}
	want := []ignore.Use{{Rule: "t.*: c", Differences: 2, Presence: ignore.Present}}
	if diff := cmp.Diff(want, a.Ignored.Uses); diff != "" || a.OnlyIgnored() || a.Shown().Update != 1 {
		t.Error(diff, a.Shown())
	}
}

// What follows from a difference, and can't be compared, is not ignored with it.
func TestAPlanWithMoreThanIgnoredUpdatesIsNotIgnored(t *testing.T) {
	t.Parallel()
	update := `"resource_changes":[` + change("t.a", `"actions":["update"],"before":{"n":1},"after":{"n":2}`) + `]`
	for member, only := range map[string]bool{
		`"timestamp":"x"`: true,
		`"output_changes":{"o":{"actions":["update"],"before":1,"after":2}}`:                                                        false,
		`"output_changes":{"size":{"actions":["update"],"before":1,"after":2}}`:                                                     true,
		`"output_changes":{"size":{"actions":["create"],"before":null,"after":2}}`:                                                  false,
		`"output_changes":{"part":{"actions":["update"],"before":{"a":1,"b":1},"after":{"a":2,"b":1}}}`:                             true,
		`"output_changes":{"part":{"actions":["update"],"before":{"a":1,"b":1},"after":{"a":2,"b":2}}}`:                             false,
		`"output_changes":{"size":{"actions":["no-op"],"before":1,"after":1}}`:                                                      true,
		`"action_invocations":[{"address":"action.x.y","type":"x","name":"y","lifecycle_action_trigger":{}}]`:                       false,
		`"deferred_changes":[{"reason":"provider_config_unknown","resource_change":` + change("t.z", `"actions":["create"]`) + `}]`: false,
		`"something_new":[1]`: false,
		`"errored":true`:      false,
	} {
		plan := mustReadIgnoring(t, document(update, member), false, "t.a: n", "output.size: **", "output.part: a")
		if plan.OnlyIgnored() != only {
			t.Errorf("%s: only ignored is %t", member, plan.OnlyIgnored())
		}
	}
}

// A refresh-only plan of a real provider, with what the documentation says to ignore.
func TestARolesPoliciesAreIgnored(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/outside/refresh-only.json")
	if err != nil {
		t.Fatal(err)
	}
	before := mustReadIgnoring(t, string(content), true)
	after := mustReadIgnoring(t, string(content), true, "aws_iam_role.*: inline_policy")
	if before.Outside() != after.Outside()+1 || after.Ignored.Differences() == 0 {
		t.Errorf("%d resources, and %d with the rule", before.Outside(), after.Outside())
	}
	for _, r := range after.Drift {
		if r.Address == "aws_iam_role.r" {
			t.Error(leaves(after.Drift))
		}
	}
}

// Rules hide differences of updates, and nothing else.
func FuzzIgnore(f *testing.F) {
	addSeeds(f)
	f.Add([]byte(document(resourceChanges(change("t.a", `"actions":["update"],"before":{"n":1,"x":{"k":1}},"after":{"n":2,"x":{"k":2}}`), change("t.a", `"actions":["delete"]`)), `"output_changes":{"o":{"actions":["update"],"before":{"k":1},"after":{"k":2}}}`)))
	rules := ignoreRules(f, "t.a: n", "**: x.*.y", "output.o: k", "**: a[*]", "**: **.z")
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, limit := range []Limit{{Bytes: 1 << 20}, {Bytes: 1 << 20, RefreshOnly: true}} {
			all, allErr := ReadDrift(bytes.NewReader(data), limit)
			limit.Ignore = rules
			some, err := ReadDrift(bytes.NewReader(data), limit)
			if (err == nil) != (allErr == nil) {
				t.Fatalf("without rules %v, with rules %v", allErr, err)
			}
			if err != nil {
				return
			}
			if all.Counts != some.Counts || all.Digest != some.Digest {
				t.Errorf("the rules change what the plan does: %+v, %+v", all.Counts, some.Counts)
			}
			n, whole := some.Shown(), some.Ignored.Wholly
			if n.Update < 0 || n.Outputs < 0 || n.Drift < 0 || whole.Update > some.Counts.Update || whole.Outputs > some.Counts.Outputs {
				t.Errorf("more is ignored than there is: %+v of %+v", whole, some.Counts)
			}
			if some.OnlyIgnored() && (n.Any() || some.Counts.Create+some.Counts.Delete+some.Counts.Replace+some.Counts.Forget+some.Counts.Import+some.Counts.Move+some.Counts.Invoke > 0) {
				t.Errorf("%+v is only ignored", some.Counts)
			}
			others := func(list []Resource) (kept []Resource) {
				for _, r := range list {
					if r.Action != Update || r.Importing {
						kept = append(kept, r)
					}
				}
				return kept
			}
			if diff := cmp.Diff(others(all.Resources), others(some.Resources)) + cmp.Diff(others(all.Drift), others(some.Drift)); diff != "" {
				t.Errorf("a rule hides more than an update: %s", diff)
			}
			if total := len(leaves(some.Resources)) + len(leaves(some.Ignored.Resources)); !limit.RefreshOnly && len(data) < 4000 && total != len(leaves(all.Resources)) {
				t.Errorf("%d differences are shown or ignored, of %d", total, len(leaves(all.Resources)))
			}
			if some.Ignored.Differences() == 0 && (some.Visible != all.Visible || some.VisibleDrift != all.VisibleDrift) {
				t.Error("nothing is ignored, and it is another drift")
			}
		}
	})
}
