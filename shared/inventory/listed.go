package inventory

// Listed is a target as a list of all has it.
type Listed struct {
	Component, Stack string
	Settings         Settings
	// DependsOn names the targets that are applied before this one, sorted. Those of
	// Atmos need not be in the list.
	DependsOn []Name
}

// Name is the target's name.
func (t Listed) Name() Name { return Name{t.Component, t.Stack} }
