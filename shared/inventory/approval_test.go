package inventory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A target is written component@stack, and its stack is its environment.
func TestApprovals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		names   []Name
		depends map[Name][]Name
		want    string
	}{
		"none":                 {},
		"one environment":      {names: names("a@dev", "b@dev"), depends: map[Name][]Name{names("a@dev")[0]: names("b@dev")}, want: "dev: b@dev a@dev"},
		"side by side":         {names: names("a@dev", "a@prod"), want: "dev: a@dev, prod: a@prod"},
		"in order":             {names: names("a@dev", "a@prod", "b@prod"), depends: map[Name][]Name{names("a@dev")[0]: names("a@prod")}, want: "prod: a@prod b@prod; dev: a@dev"},
		"in turn":              {names: names("a@dev", "b@prod", "c@dev"), depends: map[Name][]Name{names("c@dev")[0]: names("b@prod"), names("b@prod")[0]: names("a@dev")}, want: "dev: a@dev; prod: b@prod; dev: c@dev"},
		"by one not selected":  {names: names("a@dev", "c@prod"), depends: map[Name][]Name{names("c@prod")[0]: names("b@test"), names("b@test")[0]: names("a@dev")}, want: "dev: a@dev; prod: c@prod"},
		"asked once":           {names: names("a@dev", "a@prod", "b@prod"), depends: map[Name][]Name{names("b@prod")[0]: names("a@dev")}, want: "dev: a@dev; prod: a@prod b@prod"},
		"each needs the other": {names: names("a@dev", "b@dev", "a@prod", "b@prod"), depends: map[Name][]Name{names("b@dev")[0]: names("a@prod"), names("b@prod")[0]: names("a@dev")}, want: "dev: a@dev, prod: a@prod; dev: b@dev, prod: b@prod"},
		"upper and lower case": {names: names("a@Dev", "b@dev"), want: "Dev: a@Dev b@dev"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes, err := Order(test.names, test.depends)
			if err != nil {
				t.Fatal(err)
			}
			var steps []string
			for _, step := range Approvals(nodes, func(n Name) string { return n.Stack }) {
				var groups []string
				for _, a := range step {
					group := a.Environment + ":"
					for _, n := range a.Targets {
						group += " " + n.Component + "@" + n.Stack
					}
					groups = append(groups, group)
				}
				steps = append(steps, strings.Join(groups, ", "))
			}
			if diff := cmp.Diff(test.want, strings.Join(steps, "; ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
