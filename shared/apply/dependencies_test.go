package apply

import (
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

func TestADependencyThatWasAppliedSinceThePlanReadIt(t *testing.T) {
	t.Parallel()
	began := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	network := inventory.Name{Component: "network", Stack: "dev"}
	at := func(lineage string, serial uint64) *planstore.StatePosition {
		return &planstore.StatePosition{Lineage: lineage, Serial: serial}
	}
	for name, c := range map[string]struct {
		ended time.Time                // the dependency's last apply
		on    *planstore.StatePosition // the state that its plan was made on
		known *planstore.StatePosition // the dependency's position in the plan's record
		want  bool
	}{
		"before": {began.Add(-time.Second), at("L", 4), at("L", 5), false},
		"before, and nothing is known of its state":    {began.Add(-time.Second), nil, nil, false},
		"before, in another life of its state":         {began.Add(-time.Second), at("M", 9), at("L", 5), false},
		"after":                                        {began.Add(time.Second), at("L", 5), at("L", 5), true},
		"after, and nothing is known of its state":     {began.Add(time.Second), nil, nil, true},
		"at the same time":                             {began, nil, nil, true},
		"after, by a clock that is behind":             {began.Add(-time.Second), at("L", 5), at("L", 5), true},
		"while it was planned: its own plan came late": {began.Add(time.Second), at("L", 4), at("L", 5), true},
	} {
		record := planstore.Record{CreatedAt: began}
		if c.known != nil {
			record.Dependencies = []planstore.Dependency{
				{Component: "network", Stack: "another", State: planstore.StatePosition{Lineage: "L", Serial: 99}},
				{Component: network.Component, Stack: network.Stack, State: *c.known},
			}
		}
		if got := appliedSince(planstore.LastApply{AppliedAt: c.ended, State: c.on}, network, record); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
