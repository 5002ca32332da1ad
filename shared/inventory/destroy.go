package inventory

import "slices"

// DestroyFirst turns the dependencies on targets that are destroyed round, in a list of all
// targets: what depends on such a target is applied, or destroyed, before it.
func DestroyFirst(all []Listed) {
	destroyed := make(map[Name]int)
	for i, t := range all {
		if t.Destroy {
			destroyed[t.Name()] = i
		}
	}
	if len(destroyed) == 0 {
		return
	}
	before := make(map[int][]Name) // what comes before a target that is destroyed
	for i, t := range all {
		all[i].DependsOn = nil
		for _, on := range t.DependsOn {
			if at, is := destroyed[on]; is {
				before[at] = append(before[at], t.Name())
			} else {
				all[i].DependsOn = append(all[i].DependsOn, on)
			}
		}
	}
	for at, names := range before {
		all[at].DependsOn = append(all[at].DependsOn, names...)
		slices.SortFunc(all[at].DependsOn, Name.Compare)
	}
}
