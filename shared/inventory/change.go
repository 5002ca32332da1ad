package inventory

import "slices"

// Change is a target that a commit affects.
type Change struct {
	Name
	// Why says what differs, in a few lines: "changed: components/network/main.tf",
	// "new", "depends on network in dev".
	Why []string
	// Deleted is set for a target that is no more. Its infrastructure may still be there.
	Deleted bool
	// Settings of a deleted target are those that it had: they say which store knows it.
	Settings Settings
	// Outside is set for a target that is not in a sparse checkout, and that the change
	// does not affect.
	Outside bool
	// Err says why the target can't be planned, or that it can't be known whether it
	// is affected.
	Err error
}

// AllNew are all targets, as changes.
func AllNew(all []Listed) []Change {
	var changes []Change
	for _, t := range all {
		changes = append(changes, Change{Name: t.Name(), Why: []string{"new"}})
	}
	return changes
}

// WithDependents adds to changes the targets that depend on one of them, directly or
// not, sorted by name. Nothing is added for what is deleted or not affected.
func WithDependents(changes []Change, all []Listed) []Change {
	dependents := make(map[Name][]Name)
	for _, t := range all {
		for _, on := range t.DependsOn {
			dependents[on] = append(dependents[on], t.Name())
		}
	}
	known := make(map[Name]bool)
	for _, c := range changes {
		known[c.Name] = true
	}
	changes = slices.Clone(changes)
	for i := 0; i < len(changes); i++ { // it grows
		if changes[i].Deleted || changes[i].Outside {
			continue
		}
		for _, name := range dependents[changes[i].Name] {
			if !known[name] {
				known[name] = true
				changes = append(changes, Change{Name: name, Why: []string{"depends on " + changes[i].Name.String()}})
			}
		}
	}
	SortChanges(changes)
	return changes
}

// SortChanges sorts by name.
func SortChanges(changes []Change) {
	slices.SortFunc(changes, func(a, b Change) int { return a.Name.Compare(b.Name) })
}
