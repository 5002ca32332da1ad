package changes

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAlignPairsWhatLiesBetweenWhatStayed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		before, after []int
		want          []pair
	}{
		{"nothing", nil, nil, nil},
		{"the same", []int{1, 2}, []int{1, 2}, nil},
		{"all new", nil, []int{1, 2}, []pair{{-1, 0}, {-1, 1}}},
		{"all gone", []int{1, 2}, nil, []pair{{0, -1}, {1, -1}}},
		{"all changed", []int{1, 2}, []int{3, 4}, []pair{{0, 0}, {1, 1}}},
		{"one in the middle", []int{1, 3}, []int{1, 2, 3}, []pair{{-1, 1}}},
		{"one changed, one new", []int{1, 2, 3}, []int{1, 4, 5, 3}, []pair{{1, 1}, {-1, 2}}},
		{"one that moved", []int{1, 2, 3}, []int{2, 3, 1}, []pair{{0, -1}, {-1, 2}}},
		{"doubles", []int{1, 1}, []int{1}, []pair{{1, -1}}},
	} {
		if diff := cmp.Diff(c.want, align(c.before, c.after), cmp.AllowUnexported(pair{})); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// Elements that are in no pair are the same in the same order on both sides,
// and every other element is in just one pair.
func TestAlignLosesNothing(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	list := func(n int) []int {
		var l []int
		for range rng.IntN(n) {
			l = append(l, rng.IntN(6))
		}
		return l
	}
	for i := range 3000 {
		n := 12
		if i%100 == 0 {
			n = 600 // more than is aligned
		}
		before, after := list(n), list(n)
		inPair := [2]map[int]bool{{}, {}}
		for _, p := range align(before, after) {
			for side, place := range []int{p.before, p.after} {
				if place >= 0 && inPair[side][place] {
					t.Fatalf("%v, %v: %d is in two pairs", before, after, place)
				}
				inPair[side][place] = true
			}
		}
		rest := func(list []int, in map[int]bool) []int {
			rest := []int{}
			for place, v := range list {
				if !in[place] {
					rest = append(rest, v)
				}
			}
			return rest
		}
		if b, a := rest(before, inPair[0]), rest(after, inPair[1]); !slices.Equal(b, a) {
			t.Fatalf("%v, %v: left out %v and %v", before, after, b, a)
		}
	}
}
