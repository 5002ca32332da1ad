package changes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever comes in whatever order, what is kept is the longest run of items
// that fits, most dangerous first.
func TestKeeperKeepsTheMostDangerousThatFit(t *testing.T) {
	t.Parallel()
	type item struct{ rank, arrival, size int }
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		limit := rng.IntN(60)
		keep := newKeeper[item](limit)
		var all []item
		for arrival := range rng.IntN(30) {
			i := item{rng.IntN(ranks), arrival, 1 + rng.IntN(20)}
			all = append(all, i)
			wanted := keep.wants(i.rank)
			before := keep.items()
			keep.add(i.rank, i.size, i)
			if !wanted && !cmp.Equal(before, keep.items(), cmp.AllowUnexported(item{})) {
				t.Fatalf("kept %+v, which it did not want", i)
			}
		}
		slices.SortStableFunc(all, func(a, b item) int { return a.rank - b.rank })
		var want []item
		used := 0
		for _, i := range all {
			if used += i.size; used > limit {
				break
			}
			want = append(want, i)
		}
		if diff := cmp.Diff(want, keep.items(), cmp.AllowUnexported(item{})); diff != "" {
			t.Fatalf("limit %d, of %+v: %s", limit, all, diff)
		}
	}
}

func TestDangerousChangesPushOutOthers(t *testing.T) {
	t.Parallel()
	var elements []string
	add := func(n int, name, actions string) {
		for i := range n {
			elements = append(elements, change(fmt.Sprintf("t.%s%d", name, i), `"actions":[`+actions+`],"before":{"a":1},"after":{"a":2}`))
		}
	}
	add(100, "created", `"create"`)
	add(3, "deleted", `"delete"`)
	add(100, "updated", `"update"`)
	add(3, "replaced", `"create","delete"`)
	plan, err := Read(strings.NewReader(document(resourceChanges(elements...))), Limit{Bytes: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, r := range plan.Resources {
		kept = append(kept, r.Address)
	}
	want := []string{"t.deleted0", "t.deleted1", "t.deleted2", "t.replaced0", "t.replaced1", "t.replaced2", "t.updated0", "t.updated1"}
	if len(kept) < len(want) || !cmp.Equal(kept[:len(want)], want) || slices.Contains(kept, "t.created0") {
		t.Errorf("kept %q", kept)
	}
	if plan.Omitted != 206-len(kept) {
		t.Errorf("kept %d and omitted %d", len(kept), plan.Omitted)
	}
	if plan.Counts != (Counts{Create: 100, Update: 100, Delete: 3, Replace: 3}) {
		t.Errorf("counted %+v", plan.Counts)
	}
}

func TestDriftDeferredOutputsAndChecksAreBoundedAndCounted(t *testing.T) {
	t.Parallel()
	const n = 1000
	var drift, deferred, outputs, checks []string
	for i := range n {
		c := change(fmt.Sprintf("t.a%d", i), `"actions":["update"],"before":{"a":1},"after":{"a":2}`)
		drift = append(drift, c)
		deferred = append(deferred, `{"reason":"x","resource_change":`+c+`}`)
		outputs = append(outputs, fmt.Sprintf(`"o%d":{"actions":["create"],"after":"x"}`, i))
		checks = append(checks, fmt.Sprintf(`{"address":{"to_display":"check.c%d"},"status":"fail"}`, i))
	}
	limit := Limit{Bytes: 40_000, RefreshOnly: true}
	plan, err := Read(strings.NewReader(document(
		`"resource_drift":[`+strings.Join(drift, ",")+`]`, `"deferred_changes":[`+strings.Join(deferred, ",")+`]`,
		`"output_changes":{`+strings.Join(outputs, ",")+`}`, `"checks":[`+strings.Join(checks, ",")+`]`)), limit)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Counts != (Counts{Drift: n, Deferred: n, Outputs: n}) {
		t.Errorf("counted %+v", plan.Counts)
	}
	for name, kept := range map[string]int{"drift": len(plan.Drift), "deferred": len(plan.Deferred), "outputs": len(plan.Outputs), "checks": len(plan.Checks)} {
		if kept == 0 || kept > n/5 {
			t.Errorf("kept %d of %s", kept, name)
		}
	}
	if plan.ChecksOmitted != n-len(plan.Checks) {
		t.Errorf("kept %d checks and omitted %d", len(plan.Checks), plan.ChecksOmitted)
	}
}
