package planstore

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecordNamesTheDependenciesThatItsPlanWasMadeOn(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.newRecord(nil)
		r.Dependencies = []Dependency{
			{"dns", "prod", StatePosition{}}, // which has no state yet
			{strings.Repeat("long ", 190), "#ümlaut . $", StatePosition{"", 1}},
			{"network", "a", StatePosition{"N", math.MaxUint64}},
			{"network", "prod", StatePosition{"M", 7}},
		}
		stored := b.put(t, r, "plan")
		if diff := cmp.Diff(r.Dependencies, stored.Dependencies); diff != "" {
			t.Errorf("(-put +stored):\n%s", diff)
		}
		found, err := b.open().Find(t.Context(), network, commitA)
		must(t, err)
		if diff := cmp.Diff(stored, found.Record); diff != "" {
			t.Errorf("(-stored +found):\n%s", diff)
		}
		if item := b.itemOf(t, stored); item["dependencies"].(map[string]any)["network"].(map[string]any)["prod"].(map[string]any)["lineage"] != "M" {
			t.Errorf("stored as %v", item["dependencies"])
		}
	})
}

// Actions of an older version read on what needs no newer one.
func TestOnlyARecordWithDependenciesIsOfTheNewVersion(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		for want, dependencies := range map[string][]Dependency{"1": nil, "2": {{"network", "prod", StatePosition{"N", 7}}}} {
			r := b.newRecord(nil)
			r.Dependencies = dependencies
			item := b.itemOf(t, b.put(t, r, "plan"))
			if got := fmt.Sprint(item["version"]); got != want {
				t.Errorf("with %d dependencies: version %s, want %s", len(dependencies), got, want)
			}
			if _, ok := item["dependencies"]; ok != (dependencies != nil) {
				t.Errorf("with %d dependencies: item %v", len(dependencies), item)
			}
		}
	})
}

func TestUnclearDependenciesAreRefused(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		var many []Dependency
		for i := range 900 {
			many = append(many, Dependency{fmt.Sprintf("%0100d", i), "prod", StatePosition{"N", 1}})
		}
		r := b.newRecord(nil)
		r.Dependencies = many
		_, err := b.Put(t.Context(), r, writeFile(t, "plan"))
		must(t, err)
		for i := range 200 {
			many = append(many, Dependency{fmt.Sprintf("x%0100d", i), "prod", StatePosition{"N", 1}})
		}
		for name, dependencies := range map[string][]Dependency{
			"no component":   {{"", "prod", StatePosition{}}},
			"no stack":       {{"network", "", StatePosition{}}},
			"one twice":      {{"network", "prod", StatePosition{"N", 1}}, {"network", "prod", StatePosition{"N", 2}}},
			"in no order":    {{"network", "prod", StatePosition{}}, {"dns", "prod", StatePosition{}}},
			"more than fits": many,
		} {
			r := b.newRecord(nil)
			r.Commit, r.Dependencies = commitB, dependencies
			if _, err := b.Put(t.Context(), r, writeFile(t, "plan")); err == nil {
				t.Errorf("%s: stored", name)
			}
		}
		if _, err := b.Find(t.Context(), network, commitB); !errors.Is(err, ErrNotFound) {
			t.Errorf("found: %v", err)
		}
	})
}
