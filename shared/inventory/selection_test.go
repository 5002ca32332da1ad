package inventory

import (
	"slices"
	"strings"
	"testing"
)

func name(s string) Name {
	component, stack, _ := strings.Cut(s, "@")
	return Name{Component: component, Stack: stack}
}

func names(list ...string) (all []Name) {
	for _, s := range list {
		all = append(all, name(s))
	}
	return all
}

func TestSelection(t *testing.T) {
	all := names("network@dev", "network@prod", "service/api@dev", "service/web@dev", "service/web@prod")
	for _, tt := range []struct {
		components, stacks string
		want               []Name
	}{
		{"", "", all},
		{"network", "", names("network@dev", "network@prod")},
		{"service/*", "dev", names("service/api@dev", "service/web@dev")},
		{"*", "", names("network@dev", "network@prod")},
		{"**", "", all},
		{"**\n!service/web", "", names("network@dev", "network@prod", "service/api@dev")},
		{"!service/web", "prod", names("network@prod")},
		{"# all of the network\n\n  network  \nservice/{api,none}", "", names("network@dev", "network@prod", "service/api@dev")},
	} {
		var s Selection
		var err error
		if s.Components, err = ParsePatterns("components", tt.components); err != nil {
			t.Fatal(err)
		}
		if s.Stacks, err = ParsePatterns("stacks", tt.stacks); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(slices.Clone(all), func(n Name) bool { return !s.Matches(n) })
		if !slices.Equal(got, tt.want) {
			t.Errorf("components %q, stacks %q: %v, want %v", tt.components, tt.stacks, got, tt.want)
		}
	}
}

func TestAPatternThatFitsNothingIsAnError(t *testing.T) {
	all := names("network@dev", "service@dev")
	for patterns, fits := range map[string]bool{"network": true, "net*\n!service": true, "netwrk": false, "**\n!gone": false} {
		s := Selection{Components: strings.Split(patterns, "\n")}
		if err := s.Check(all); (err == nil) != fits {
			t.Errorf("%q: %v", patterns, err)
		}
	}
	if _, err := ParsePatterns("stacks", "dev\n[a"); err == nil || !strings.Contains(err.Error(), "input `stacks`") {
		t.Errorf("a pattern that is none: %v", err)
	}
}
