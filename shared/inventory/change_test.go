package inventory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDependents(t *testing.T) {
	t.Parallel()
	name := func(component string) Name { return Name{component, "dev"} }
	all := []Listed{
		{Component: "app", Stack: "dev", DependsOn: []Name{name("cluster")}},
		{Component: "app", Stack: "prod", DependsOn: []Name{{"cluster", "prod"}}},
		{Component: "cluster", Stack: "dev", DependsOn: []Name{name("network"), name("old")}},
		{Component: "network", Stack: "dev", DependsOn: []Name{name("app")}}, // the caller finds the cycle
		{Component: "peering", Stack: "prod", DependsOn: []Name{name("network")}},
		{Component: "quiet", Stack: "dev", DependsOn: []Name{name("old")}},
	}
	got := lines(WithDependents([]Change{
		{Name: name("cluster"), Why: []string{"changed: x"}},
		{Name: name("network"), Why: []string{"changed: y"}},
		{Name: name("old"), Why: []string{"deleted"}, Deleted: true},
	}, all))
	want := `app in dev: depends on cluster in dev
cluster in dev: changed: x
network in dev: changed: y
old in dev: deleted (deleted)
peering in prod: depends on network in dev
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func lines(changes []Change) string {
	var text strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&text, "%s: %s", c.Name, strings.Join(c.Why, ", "))
		if c.Deleted {
			text.WriteString(" (deleted)")
		}
		text.WriteString("\n")
	}
	return text.String()
}
