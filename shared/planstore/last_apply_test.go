package planstore

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLastAppliesOfManyTargetsAreReadAtOnce(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		want := map[Target]LastApply{}
		var all []Target
		for i := range 130 {
			of := Target{"acme/infra", "network", fmt.Sprintf("stack-%03d", i)}
			all = append(all, of)
			if i%30 != 0 {
				continue
			}
			r := b.newRecord(&StatePosition{"L", uint64(i)})
			r.Target = of
			r = b.put(t, r, "plan")
			b.apply(t, r, runNumber("200", 1))
			found, err := b.Find(t.Context(), of, commitA)
			must(t, err)
			want[of] = *found.Last
		}
		upper := all[0]
		upper.Repository = "Acme/INFRA" // the same target, for GitHub
		want[upper] = want[all[0]]
		got, err := b.open().LastApplies(t.Context(), append(all, all[0], upper))
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if _, err := b.LastApplies(t.Context(), []Target{network, {}}); !errors.Is(err, ErrName) {
			t.Errorf("no target: %v", err)
		}
	})
}
