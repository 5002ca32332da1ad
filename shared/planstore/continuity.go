package planstore

// Continuity says whether a plan was made on the state that the target's last apply left.
// Terraform tells one state from another by its lineage.
type Continuity string

// The kinds of continuity.
const (
	// SameState is that of a state with the last apply's lineage.
	SameState Continuity = "same"
	// FirstState is that of a target that was never applied.
	FirstState Continuity = "first"
	// StateGone says that the target was applied, and the state is empty.
	StateGone Continuity = "gone"
	// OtherState says that the target was applied, and this is another state.
	OtherState Continuity = "other"
	// StateUnknown says that one of the two lineages is not known.
	StateUnknown Continuity = "unknown"
)

// Lost reports whether what runs is not in the state: a plan would make it again.
func (c Continuity) Lost() bool { return c == StateGone || c == OtherState }

// ContinuityOf compares the state that a plan was made on (nil: not known) with that of
// the target's last apply (nil: there was none).
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

// Lineage is that of the state that the apply left; empty when it is not known.
func (l LastApply) Lineage() string {
	switch {
	case l.After != nil && l.After.Lineage != "":
		return l.After.Lineage
	case l.State != nil:
		return l.State.Lineage // an apply keeps it
	}
	return ""
}
