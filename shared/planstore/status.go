package planstore

import "time"

// Status is where a plan is in its life. It is derived from the record, its
// claim and the target's last apply; nothing stores it.
type Status string

// The statuses of a plan.
const (
	StatusPlanned    Status = "planned"    // not applied, and may be
	StatusApplying   Status = "applying"   // claimed by a run that has not finished; it may have died
	StatusApplied    Status = "applied"    // by the claim's run
	StatusFailed     Status = "failed"     // its planning or its apply failed: never applied, plan again
	StatusExpired    Status = "expired"    // never claimed in its time
	StatusSuperseded Status = "superseded" // a later plan of the target was applied
)

// status derives a plan's status at a time.
func status(r Record, claim *Claim, last *LastApply, now time.Time) Status {
	switch {
	case claim != nil:
		return claim.Status
	case r.Outcome == OutcomeFailed:
		return StatusFailed
	case r.expired(now):
		return StatusExpired
	case last != nil && last.supersedes(r):
		return StatusSuperseded
	}
	return StatusPlanned
}

func (r Record) expired(now time.Time) bool { return !now.Before(r.ExpiresAt) }

// supersedes reports whether this apply made a plan out of date.
//
// Within one lineage the serials say which plan was made on the later state.
// Where they say nothing, the times do: a plan is out of date when its planning
// began before the apply ended. That is so where a position is unknown, where
// the lineages differ (the first apply gives the state its lineage, and a state
// may be made anew), and where both plans were made on the same serial: an
// apply that only takes drift back leaves the state as it was, serial included,
// and the plans made after it are good.
//
// notSuperseded (dynamodb.go) is the same rule in DynamoDB's language.
func (l LastApply) supersedes(r Record) bool {
	known := l.State != nil && r.State != nil
	if known && l.State.Lineage == r.State.Lineage && l.State.Serial != r.State.Serial {
		return l.State.Serial > r.State.Serial
	}
	return !l.AppliedAt.Before(r.CreatedAt)
}

// outdates reports whether an apply that is already recorded as the target's
// last was of a plan made on a later state than this one, so that recording
// this one in its place would turn superseded plans into planned ones again.
// A run that was slow to record its apply is such a case.
//
// notOutdated (dynamodb.go) is the same rule in DynamoDB's language.
func (l LastApply) outdates(next LastApply) bool {
	return l.State != nil && next.State != nil &&
		l.State.Lineage == next.State.Lineage && l.State.Serial > next.State.Serial
}
