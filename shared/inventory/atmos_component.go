package inventory

import "encoding/json"

// AtmosComponent is what only a target of Atmos has.
type AtmosComponent struct {
	// Skip says why the target is neither planned nor applied; empty if it is.
	Skip string
	// Locked is set if it may be planned, but not applied.
	Locked bool
	// DependsElsewhere is set if it also depends on targets whose stacks are given by
	// variables (tenant, stage and so on), or is destroyed, after those that depend on it. Only
	// the list of all targets tells which these are, so DependsOn lacks them.
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
	// Sharing says which others may be planned in the root module's folder at the same time.
	Sharing Sharing
	// AsText is set if its templates stay text until the target is resolved.
	AsText bool
	// Manifest is the stack's manifest, as Atmos names it: without .yaml. It may import others.
	// Empty: Atmos doesn't say.
	Manifest string
	// Version is what Atmos says of itself, for people.
	Version string

	// Resolved is what shapes the plan, for the configuration digest, by the name of the
	// setting. Functions are in it as text, so that another target's apply changes nothing.
	Resolved map[string][]string
	// Sections are the same as Atmos has them, with functions as text.
	Sections map[string]any
}

// Sharing says which targets may be planned at the same time in one root module's folder: those
// with the same key. Atmos writes the same files there for all of them, and a file of
// variables with the target's own name.
//
// Atmos overwrites its files each time, so another target's Terraform might read half a file.
// That is why package atmos writes the backend file once, before.
type Sharing struct {
	Key string // empty if the target shares its folder with no other
	// VarFile is equal for targets whose files of variables have the same name.
	VarFile string
	// Backend is the content of backend.tf.json as canonical JSON; empty if Atmos writes none.
	Backend string
}
