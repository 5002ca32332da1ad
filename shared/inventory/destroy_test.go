package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatDependsOnADestroyedTargetGoesFirst(t *testing.T) {
	t.Parallel()
	n := func(component string) Name { return Name{component, "dev"} }
	of := func(component string, destroy bool, on ...string) Listed {
		l := Listed{Component: component, Stack: "dev", Destroy: destroy}
		for _, name := range on {
			l.DependsOn = append(l.DependsOn, n(name))
		}
		return l
	}
	all := []Listed{
		of("app", true, "cluster", "network"), of("cluster", true, "network", "dns"), of("dns", false, "zone"), of("network", true), of("user", false, "network"), of("zone", false),
	}
	DestroyFirst(all)
	want := []Listed{
		of("app", true), of("cluster", true, "app", "dns"), of("dns", false, "zone"), of("network", true, "app", "cluster", "user"), of("user", false), of("zone", false),
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
}
