package inventory

import (
	"slices"
	"strings"
)

// Approval is a group of targets that are applied together: under one GitHub environment, whose
// reviewers approve them at once.
type Approval struct {
	Environment string
	Targets     []Name
}

// Approvals groups targets by environment, in steps: the targets of a step depend on no target of
// another environment but those of earlier steps. Two environments are in one step if neither
// depends on the other, so nobody waits for the reviewers of the other one. If environments depend
// on each other in turn, one has groups in several steps.
//
// nodes are in the order of their dependencies, as [Order] returns them. GitHub ignores upper and
// lower case in names of environments.
func Approvals(nodes []Node, environment func(Name) string) (steps [][]Approval) {
	step := make(map[Name]int, len(nodes))
	for _, n := range nodes {
		own := environment(n.Name)
		for _, before := range n.After {
			least := step[before]
			if !strings.EqualFold(environment(before), own) {
				least++
			}
			step[n.Name] = max(step[n.Name], least)
		}
		for len(steps) <= step[n.Name] {
			steps = append(steps, nil)
		}
		in := &steps[step[n.Name]]
		i := slices.IndexFunc(*in, func(a Approval) bool { return strings.EqualFold(a.Environment, own) })
		if i < 0 {
			i, *in = len(*in), append(*in, Approval{Environment: own})
		}
		(*in)[i].Targets = append((*in)[i].Targets, n.Name)
	}
	for _, in := range steps {
		slices.SortFunc(in, func(a, b Approval) int { return strings.Compare(a.Environment, b.Environment) })
	}
	return steps
}
