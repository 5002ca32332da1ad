package planstore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Dependency is a target of the same repository that a plan depends on, and the position of its
// state when the plan was made.
type Dependency struct {
	Component string
	Stack     string
	State     StatePosition
}

// maxDependencies limits Record.Dependencies, in bytes of names and lineages: that is about a
// thousand. An item has at most 400 KB, files included.
const maxDependencies = 100 << 10

// checkDependencies refuses dependencies that would not be read again as they are.
func checkDependencies(of []Dependency) error {
	bytes := 0
	for i, d := range of {
		if err := cmp.Or(checkName("component of a dependency", d.Component), checkName("stack of a dependency", d.Stack)); err != nil {
			return err
		}
		if i > 0 && compareDependencies(of[i-1], d) >= 0 {
			return fmt.Errorf("the dependencies must be sorted by component and stack, and name %s in %s once", printable(d.Component), printable(d.Stack))
		}
		bytes += len(d.Component) + len(d.Stack) + len(d.State.Lineage)
	}
	if bytes > maxDependencies {
		return fmt.Errorf("the %d dependencies take %d bytes, and at most %d can be stored", len(of), bytes, maxDependencies)
	}
	return nil
}

func compareDependencies(a, b Dependency) int {
	return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
}

// dependencyItems are dependencies by component and stack: maps, since an item that is sealed
// has no lists. No dependencies are nil, and left out.
type dependencyItems map[string]map[string]positionItem

func newDependencyItems(of []Dependency) dependencyItems {
	var items dependencyItems
	for _, d := range of {
		if items == nil {
			items = dependencyItems{}
		}
		if items[d.Component] == nil {
			items[d.Component] = map[string]positionItem{}
		}
		items[d.Component][d.Stack] = positionItem(d.State)
	}
	return items
}

func (items dependencyItems) dependencies() (of []Dependency) {
	for component, stacks := range items {
		for stack, position := range stacks {
			of = append(of, Dependency{component, stack, StatePosition(position)})
		}
	}
	slices.SortFunc(of, compareDependencies)
	return of
}
