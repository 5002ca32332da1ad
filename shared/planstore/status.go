package planstore

import (
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

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
// notSuperseded is the same rule, for the store to decide.
func (l LastApply) supersedes(r Record) bool {
	known := l.State != nil && r.State != nil
	if known && l.State.Lineage == r.State.Lineage && l.State.Serial != r.State.Serial {
		return l.State.Serial > r.State.Serial
	}
	return !l.AppliedAt.Before(r.CreatedAt)
}

// notSuperseded is met when the stored last apply does not supersede a record: see supersedes.
func notSuperseded(r Record) storage.Condition {
	appliedBefore := storage.Compare{Path: "appliedAt", Is: storage.Before, Value: storage.FormatTime(r.CreatedAt)}
	if r.State == nil {
		return storage.Any{storage.Absent{}, appliedBefore}
	}
	return storage.Any{
		storage.Absent{},
		storage.All{
			storage.Not{Condition: storage.Missing{Path: "statePosition"}},
			lineage(storage.Equals, *r.State), serial(storage.Before, *r.State),
		},
		storage.All{
			appliedBefore,
			storage.Any{storage.Missing{Path: "statePosition"}, lineage(storage.Differs, *r.State), serial(storage.Equals, *r.State)},
		},
	}
}

// notOutdated is met unless the stored last apply was of a plan made on a later state than the
// next one's. Then recording the next in its place would turn superseded plans into planned
// ones again. A run that was slow to record its apply is such a case.
func notOutdated(next LastApply) storage.Condition {
	if next.State == nil {
		return nil
	}
	return storage.Any{storage.Missing{Path: "statePosition"}, lineage(storage.Differs, *next.State), serial(storage.AtMost, *next.State)}
}

func lineage(is storage.Comparison, p StatePosition) storage.Condition {
	return storage.Compare{Path: "statePosition.lineage", Is: is, Value: p.Lineage}
}

func serial(is storage.Comparison, p StatePosition) storage.Condition {
	return storage.Compare{Path: "statePosition.serial", Is: is, Value: storage.Number(p.Serial)}
}
