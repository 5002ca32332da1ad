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
// another environment but those of earlier steps. An environment comes as soon as everything is done
// that its targets depend on, so its reviewers are asked once. Two environments are in one step if
// neither depends on the other, so nobody waits for the reviewers of the other one. Only if
// environments depend on each other in turn, one has groups in several steps.
//
// nodes are in the order of their dependencies, as [Order] returns them. GitHub ignores upper and
// lower case in names of environments.
func Approvals(nodes []Node, environment func(Name) string) (steps [][]Approval) {
	key := func(n Name) string { return strings.ToLower(environment(n)) }
	pending, left := make(map[Name]bool), make(map[string]int) // by environment
	for _, n := range nodes {
		pending[n.Name] = true
		left[key(n.Name)]++
	}
	for len(nodes) > 0 {
		ready, can := make(map[string]int), make(map[Name]bool)
		for _, n := range nodes {
			if can[n.Name] = !slices.ContainsFunc(n.After, func(before Name) bool {
				return pending[before] && (!can[before] || key(before) != key(n.Name))
			}); can[n.Name] {
				ready[key(n.Name)]++
			}
		}
		whole := false
		for in, n := range ready {
			whole = whole || n == left[in]
		}
		var step []Approval
		var rest []Node
		for _, n := range nodes {
			in := key(n.Name)
			if !can[n.Name] || whole && ready[in] < left[in] {
				rest = append(rest, n)
				continue
			}
			i := slices.IndexFunc(step, func(a Approval) bool { return strings.ToLower(a.Environment) == in })
			if i < 0 {
				i, step = len(step), append(step, Approval{Environment: environment(n.Name)})
			}
			step[i].Targets = append(step[i].Targets, n.Name)
		}
		for _, a := range step {
			for _, n := range a.Targets {
				delete(pending, n)
			}
			left[strings.ToLower(a.Environment)] -= len(a.Targets)
		}
		slices.SortFunc(step, func(a, b Approval) int { return strings.Compare(a.Environment, b.Environment) })
		steps, nodes = append(steps, step), rest
	}
	return steps
}
