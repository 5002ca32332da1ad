package main

import (
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report"
)

// The names of 3000 targets are too long for an environment variable, and so for an input.
func TestAJobGetsNoMoreTargetsThanAnInputHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		targets, others int
		selection       inventory.Selection
		listed, fails   bool
	}{
		{targets: 100, others: 1, listed: true},
		{targets: 3000},
		{targets: 3000, others: 1, fails: true},
		{targets: 3000, selection: inventory.Selection{Stacks: []string{"dev"}}, fails: true},
	} {
		f := &run{merge: &merge{}, settings: map[inventory.Name]inventory.Effective{}, changes: map[inventory.Name]bool{}}
		f.Selection = c.selection
		f.Runtime, f.Summary = gha.New(nil, io.Discard), &report.Many{}
		for i := range c.targets + c.others {
			n := inventory.Name{Component: fmt.Sprintf("component-%d", i), Stack: "dev"}
			var s inventory.Effective
			if s.Environment = "dev"; i >= c.targets {
				s.Environment = "prod"
			}
			f.nodes, f.settings[n], f.changes[n] = append(f.nodes, inventory.Node{Name: n}), s, true
		}
		text, err := f.environments(f.nodes)
		if (err != nil) != c.fails || c.fails && problem.CodeOf(err) != problem.Targets {
			t.Errorf("%+v: %v", c, err)
		}
		if c.fails {
			continue
		}
		var steps []struct{ Include []job }
		if err := json.Unmarshal([]byte(text), &steps); err != nil {
			t.Fatal(err)
		}
		if j := steps[0].Include[0]; (j.Targets != "") != c.listed || j.Count != c.targets || j.Digest == "" {
			t.Errorf("%+v: %d bytes of targets, %d", c, len(j.Targets), j.Count)
		}
	}
}
