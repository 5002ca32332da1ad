package inventory

// Unresolved is an error of a target that reads values which have none yet.
type Unresolved interface {
	error
	// Reads are the targets that have to be applied first, sorted.
	Reads() []Name
}
