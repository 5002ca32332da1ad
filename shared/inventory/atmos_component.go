package inventory

import "encoding/json"

// AtmosComponent is what only a target of Atmos has.
type AtmosComponent struct {
	// Skip says why the target is neither planned nor applied; empty if it is.
	Skip string
	// Locked is set if it may be planned, but not applied.
	Locked bool
	// DependsElsewhere is set if it also depends on targets whose stacks are given by
	// variables (tenant, stage and so on). Only the list of all targets tells which these
	// are, so DependsOn lacks them.
	DependsElsewhere bool
	// Command runs Terraform or OpenTofu: a name on PATH, or a path.
	Command string
	// Vars are the values of variables, as JSON, by name. If a value is a function of Atmos,
	// it is the function's text until package atmos has resolved the target.
	Vars map[string]json.RawMessage
	// Env is what Atmos adds to Terraform's environment: texts and other scalars, and
	// functions as in Vars.
	Env map[string]any
	// Workspace is the one that Atmos selects, if that is known only once the target is
	// resolved; else empty.
	Workspace string
	// Sharing says whether others may be planned in the root module's folder meanwhile.
	Sharing Sharing
	// AsText is set if its templates stay text until the target is resolved.
	AsText bool
	// Version is what Atmos says of itself, for people.
	Version string

	// Resolved is what shapes the plan, for the configuration digest, by the name of the
	// setting. Functions are in it as text, so that another target's apply changes nothing.
	Resolved map[string][]string
	// Sections are the same as Atmos has them, with functions as text.
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
