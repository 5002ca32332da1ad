package inventory

import "encoding/json"

// AtmosComponent is what of a target only Atmos knows.
type AtmosComponent struct {
	// Skip says why the target is not to be planned or applied; empty: it is.
	Skip string
	// Locked says that it may be planned, but not applied.
	Locked bool
	// DependsElsewhere says that it also depends on targets that are named by variables of
	// other stacks. They are not in DependsOn: only a list of all tells which these are.
	DependsElsewhere bool
	// Command runs Terraform or OpenTofu: a name on PATH, or a path.
	Command string
	// Vars are the values of variables, as JSON, by name. Those of functions are the
	// functions' text until [Atmos.Resolve].
	Vars map[string]json.RawMessage
	// Env is what Atmos adds to Terraform's environment: texts and other scalars. The
	// same is true of functions.
	Env map[string]any
	// Workspace is the one that Atmos selects, where only [Atmos.Resolve] tells; else empty.
	Workspace string
	// Sharing says whether others may be planned in the root module's folder meanwhile.
	Sharing Sharing
	// AsText says that its templates are not processed until [Atmos.Resolve].
	AsText bool
	// Version is what Atmos says of itself, for people.
	Version string

	// Resolved is what shapes the plan, for the digest.
	Resolved map[string][]string
	// Sections are the same, as Atmos has it before it calls functions.
	Sections map[string]any
}

// Sharing says which targets may be planned side by side in one root module's folder: those
// with the same key. Atmos writes the same there for all of them, but for the file of
// variables, which has the target's own name.
//
// Atmos writes its files anew each time, in place, so that another target's Terraform might
// read half of one. So the backend's is written once, before, by [Atmos.GenerateBackend].
type Sharing struct {
	Key string // empty: this target shares its folder with none
	// VarFile is the same for targets whose files of variables have the same name.
	VarFile string
	// Backend is what backend.tf.json has, as canonical JSON; empty: Atmos writes none.
	Backend string
}
