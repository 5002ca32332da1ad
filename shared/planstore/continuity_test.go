package planstore

import "testing"

func TestAStateIsToldFromTheOneThatWasAppliedLast(t *testing.T) {
	t.Parallel()
	at := func(lineage string) *StatePosition { return &StatePosition{lineage, 0} }
	for _, test := range []struct {
		name string
		last *LastApply
		plan *StatePosition
		want Continuity
		lost bool
	}{
		{"never applied, no state", nil, at(""), FirstState, false},
		{"never applied, a state", nil, at("a"), FirstState, false},
		{"never applied, encrypted", nil, nil, FirstState, false},
		{"the same", &LastApply{State: at("a")}, at("a"), SameState, false},
		{"the one that the first apply made", &LastApply{State: at(""), After: at("a")}, at("a"), SameState, false},
		{"what was after counts", &LastApply{State: at("b"), After: at("a")}, at("b"), OtherState, true},
		{"gone", &LastApply{State: at("a")}, at(""), StateGone, true},
		{"gone after the first apply", &LastApply{State: at("")}, at(""), StateGone, true},
		{"gone, of an unknown one", &LastApply{}, at(""), StateGone, true},
		{"another", &LastApply{State: at("a")}, at("b"), OtherState, true},
		{"another than an encrypted plan's, by what was after", &LastApply{After: at("a")}, at("b"), OtherState, true},
		{"after a first apply by an older version", &LastApply{State: at("")}, at("b"), StateUnknown, false},
		{"encrypted now", &LastApply{State: at("a")}, nil, StateUnknown, false},
		{"encrypted then", &LastApply{}, at("a"), StateUnknown, false},
	} {
		got := ContinuityOf(test.last, test.plan)
		if got != test.want || got.Lost() != test.lost {
			t.Errorf("%s: %s, lost %v; want %s", test.name, got, got.Lost(), test.want)
		}
	}
}
