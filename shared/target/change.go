package target

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
