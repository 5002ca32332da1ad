package drift

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
)

// A rule is said to match nothing only if every target that has it was looked at.
func TestARuleMatchesNothingOnlyIfNoTargetHasAnythingForIt(t *testing.T) {
	t.Parallel()
	a, b, c := Name{"a", "dev"}, Name{"b", "dev"}, Name{"c", "dev"}
	f := Found{Results: map[Name]Result{
		a: {Ignored: []ignore.Use{
			{Rule: "used", Differences: 2, Presence: ignore.Present}, {Rule: "gone", Presence: ignore.NoResource},
			{Rule: "gone here", Presence: ignore.NoResource}, {Rule: "misspelt", Presence: ignore.NoResource}, {Rule: "not known", Presence: ignore.NoAttribute},
		}},
		b: {Ignored: []ignore.Use{
			{Rule: "used", Differences: 1, Presence: ignore.Present}, {Rule: "gone", Presence: ignore.NoResource},
			{Rule: "gone here", Presence: ignore.Present}, {Rule: "misspelt", Presence: ignore.NoAttribute},
		}},
		c: {Outcome: PlanFailed, Ignored: []ignore.Use{{Rule: "not known"}, {Rule: "used"}}},
	}}
	got := ignoredIn(f)
	want := Ignored{Targets: 2, Uses: []ignore.Use{
		{Rule: "used", Differences: 3, Presence: ignore.Present}, {Rule: "gone", Presence: ignore.NoResource},
		{Rule: "gone here", Presence: ignore.Present}, {Rule: "misspelt", Presence: ignore.NoAttribute}, {Rule: "not known"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	named := func(i Ignored) (rules string) {
		for _, u := range i.Uses {
			if strings.Contains(i.markdown(), "- `"+u.Rule+"`") {
				rules += u.Rule + " "
			}
		}
		return rules
	}
	if got := named(got); got != "gone misspelt " {
		t.Errorf("named: %s", got)
	}
	// A target in Git that this run did not plan may have what a rule matches.
	for _, names := range []map[Name]bool{{a: true, b: true, c: true}, {a: true, b: true, c: true, {"d", "dev"}: true}} {
		f.InGit = names
		if got := ignoredIn(f); got.Partial != (len(names) > 3) || (named(got) == "") != got.Partial || got.Differences() != 3 {
			t.Errorf("%d in Git: %+v names %s", len(names), got, named(got))
		}
	}
	if text := ignoredIn(Found{Results: map[Name]Result{a: {}}}).markdown(); text != "" {
		t.Error(text)
	}
}
