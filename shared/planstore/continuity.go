package planstore

// Continuity says whether a plan was made on the state that the target's last apply left.
// Lineages tell: Terraform gives each state one.
type Continuity string

// The kinds of continuity.
const (
	// SameState: the state has the lineage of the last apply's.
	SameState Continuity = "same"
	// FirstState: the target was never applied.
	FirstState Continuity = "first"
	// StateGone: the target was applied, and the state is empty.
	StateGone Continuity = "gone"
	// OtherState: the target was applied, and this is another state.
	OtherState Continuity = "other"
	// StateUnknown: one of the two lineages is not known.
	StateUnknown Continuity = "unknown"
)

// Lost reports whether resources exist that are not in the state: a plan would create them
// again.
func (c Continuity) Lost() bool { return c == StateGone || c == OtherState }

// ContinuityOf compares the state that a plan was made on (nil: unknown) with the state of the
// target's last apply (nil: there was none).
func ContinuityOf(last *LastApply, plan *StatePosition) Continuity {
	switch {
	case last == nil:
		return FirstState
	case plan == nil:
		return StateUnknown
	case plan.Lineage == "":
		return StateGone
	}
	switch last.Lineage() {
	case plan.Lineage:
		return SameState
	case "":
		return StateUnknown
	}
	return OtherState
}

// Lineage is the lineage of the state that the apply left; empty if unknown.
func (l LastApply) Lineage() string {
	switch {
	case l.After != nil && l.After.Lineage != "":
		return l.After.Lineage
	case l.State != nil:
		return l.State.Lineage // an apply keeps it
	}
	return ""
}
