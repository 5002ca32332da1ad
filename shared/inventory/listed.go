package inventory

// Listed is a target in the list of all targets: what is known without a look at its files.
type Listed struct {
	Component, Stack string
	Settings         Settings
	// DependsOn names the targets that are applied before this one, sorted. With Atmos some
	// may not be in the list, as when they are disabled.
	DependsOn []Name
	// Destroy is set if everything that the target manages is to be destroyed.
	Destroy bool
}

// Name is the target's name.
func (t Listed) Name() Name { return Name{t.Component, t.Stack} }
