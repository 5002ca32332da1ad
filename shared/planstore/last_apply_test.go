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

func TestTheLastApplyTellsWhatItWasForAndWhatItWasMadeOn(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		old := b.put(t, b.newRecord(&StatePosition{"L", 6}), "plan of another")
		r := b.newRecord(&StatePosition{"L", 5})
		r.Commit = commitB
		r = b.put(t, r, "plan")
		run := runNumber("200", 1)
		must(t, b.Claim(t.Context(), r, run, "octocat", Audit{}))
		must(t, b.Finish(t.Context(), r, run, Result{Status: StatusApplied, MergedCommit: commitA, PlannedOn: &StatePosition{"L", 7}}))
		found, err := b.Find(t.Context(), network, commitB)
		must(t, err)
		want := &LastApply{
			RecordID: r.ID(), Commit: commitB, MergedCommit: commitA, PullRequest: 41, PlanCreatedAt: r.CreatedAt,
			Run: run, AppliedAt: found.Claim.FinishedAt, State: &StatePosition{"L", 7},
		}
		if diff := cmp.Diff(want, found.Last); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// Made on a later state than the applied plan's record says, and yet before.
		b.refusedAs(t, old, StatusSuperseded)

		// As an older version wrote it.
		item := b.Item(t, applyPrefix+network.Key(), lastKey)
		delete(item, "mergedCommit")
		b.PutItem(t, item)
		want.MergedCommit = ""
		all, err := b.LastApplies(t.Context(), []Target{network})
		must(t, err)
		if diff := cmp.Diff(map[Target]LastApply{network: *want}, all); diff != "" {
			t.Errorf("without a commit (-want +got):\n%s", diff)
		}
	})
}
