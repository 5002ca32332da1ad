package inventory

import "slices"

// Change is a target that a commit affects, or may affect.
type Change struct {
	Name
	// Why says what differs, in a few lines: "changed: components/network/main.tf",
	// "new", "depends on network in dev".
	Why []string
	// Deleted is set if the target no longer exists. Its infrastructure may still be there.
	Deleted bool
	// Settings are those that a deleted target had: they say which plan store knows it.
	Settings Settings
	// Outside is set if a sparse checkout leaves the target out, and the commit does not
	// affect it.
	Outside bool
	// Skip says why its settings leave the target out, though the commit affects it; empty if
	// they do not.
	Skip string
	// Err says why the target can't be planned, or why nobody can tell whether it is
	// affected.
	Err error
}

// AllNew lists targets as new ones, when there is nothing to compare them with.
func AllNew(all []Listed) []Change {
	var changes []Change
	for _, t := range all {
		changes = append(changes, Change{Name: t.Name(), Why: []string{"new"}})
	}
	return changes
}

// WithDependents adds the targets that depend on a change, directly or not, and sorts all by
// name. Nothing is added for a target that is deleted or not affected.
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
	for i := 0; i < len(changes); i++ { // the list grows meanwhile
		if changes[i].Deleted || changes[i].Outside || changes[i].Skip != "" {
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

// SortChanges sorts changes by name.
func SortChanges(changes []Change) {
	slices.SortFunc(changes, func(a, b Change) int { return a.Name.Compare(b.Name) })
}
