package planstore

import (
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Status is where a plan is in its life. It is derived from the record, its claim and the
// target's last apply, and stored nowhere.
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

// status is a plan's status at a time.
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
// Within one lineage, the serials say which of the two plans was made on the later state.
// Otherwise the times decide: a plan is out of date if its planning began before the apply
// ended. They decide if a position is unknown; if the lineages differ, since the first apply
// gives the state its lineage and a state may be created again; and if both plans were made on
// the same serial, since an apply that only reverts drift may leave the serial as it was, and
// plans made after it are good.
//
// notSuperseded is the same rule, for the backend to decide.
func (l LastApply) supersedes(r Record) bool {
	known := l.State != nil && r.State != nil
	if known && l.State.Lineage == r.State.Lineage && l.State.Serial != r.State.Serial {
		return l.State.Serial > r.State.Serial
	}
	return !l.AppliedAt.Before(r.CreatedAt)
}

// notSuperseded holds if the stored last apply does not supersede a record: see supersedes.
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

// notLater holds unless the stored last apply was of a plan on a later state than the next
// one's, as when a run was slow to record its apply. To record the next one in its place would
// turn superseded plans into planned ones again.
func notLater(next LastApply) storage.Condition {
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
