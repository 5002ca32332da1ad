package inventory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Node is a target with the targets that it has to wait for.
type Node struct {
	Name
	After []Name
}

// Order puts each target behind all targets that it depends on; otherwise they are sorted by
// name. all has the dependencies of each target in the repository, since a target may depend
// on another one through targets that are not among names. A cycle among them is a
// *[CycleError].
func Order(names []Name, all map[Name][]Name) ([]Node, error) {
	in := make(map[Name]bool, len(names))
	for _, n := range names {
		in[n] = true
	}
	o := ordering{all: all, in: in, state: map[Name]int{}, after: map[Name][]Name{}}
	for _, n := range slices.SortedFunc(slices.Values(names), Name.Compare) {
		if err := o.visit(n); err != nil {
			return nil, err
		}
	}
	return o.nodes, nil
}

type ordering struct {
	all   map[Name][]Name
	in    map[Name]bool
	state map[Name]int // 0 not seen, 1 being visited, 2 done
	path  []Name
	after map[Name][]Name // what those that are done depend on, of the targets in in
	nodes []Node
}

func (o *ordering) visit(n Name) error {
	switch o.state[n] {
	case 1:
		return &CycleError{Names: append(slices.Clone(o.path[slices.Index(o.path, n):]), n)}
	case 2:
		return nil
	}
	o.state[n], o.path = 1, append(o.path, n)
	var after []Name
	for _, dep := range slices.SortedFunc(slices.Values(o.all[n]), Name.Compare) {
		if err := o.visit(dep); err != nil {
			return err
		}
		if o.in[dep] {
			after = append(after, dep)
		} else {
			after = append(after, o.after[dep]...)
		}
	}
	slices.SortFunc(after, Name.Compare)
	after = slices.Compact(after)
	o.after[n], o.state[n], o.path = after, 2, o.path[:len(o.path)-1]
	if o.in[n] {
		o.nodes = append(o.nodes, Node{Name: n, After: after})
	}
	return nil
}

// CycleError says that the dependencies of targets make a cycle.
type CycleError struct{ Names []Name } // the first one is also the last

// Code is [problem.Cycle].
func (e *CycleError) Code() problem.Code { return problem.Cycle }

func (e *CycleError) Error() string {
	var names []string
	for _, n := range e.Names {
		names = append(names, n.String())
	}
	return fmt.Sprintf("targets depend on each other in a cycle: %s: remove one of these dependencies", strings.Join(names, " -> "))
}
