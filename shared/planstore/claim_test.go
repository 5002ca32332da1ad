package planstore

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// refusedAs checks that a plan can't be claimed, and why.
func (b *backend) refusedAs(t *testing.T, r Record, want Status) *NotClaimableError {
	t.Helper()
	err := b.Claim(t.Context(), r, runNumber("999", 1), "someone", Audit{})
	var refused *NotClaimableError
	if !errors.As(err, &refused) {
		t.Fatalf("claim: %v, want a NotClaimableError", err)
	}
	if refused.Status != want {
		t.Fatalf("refused as %s, want %s", refused.Status, want)
	}
	if strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "network in plat-ue2-dev") {
		t.Errorf("not a line that names the target: %s", err)
	}
	return refused
}

func TestAppliedPlanSaysByWhomAndIsNeverAppliedAgain(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(&StatePosition{"L", 5}), "plan")
		run := runNumber("200", 1)
		must(t, b.Claim(t.Context(), r, run, "hubot", Audit{}))
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		want := Stored{Record: r, Status: StatusApplying, Claim: &Claim{Status: StatusApplying, Run: run, Actor: "hubot", ClaimedAt: found.Claim.ClaimedAt}}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
		b.refusedAs(t, r, StatusApplying)

		must(t, b.Finish(t.Context(), r, run, Result{Status: StatusApplied, After: &StatePosition{"L", 6}}))
		found, err = b.Find(t.Context(), network, commitA)
		must(t, err)
		want.Status = StatusApplied
		want.Claim = &Claim{
			Status: StatusApplied, Run: run, Actor: "hubot", ClaimedAt: found.Claim.ClaimedAt,
			FinishedAt: found.Claim.FinishedAt,
		}
		want.Last = &LastApply{
			RecordID: r.ID(), Commit: commitA, PullRequest: 41, PlanCreatedAt: r.CreatedAt,
			Run: run, AppliedAt: found.Claim.FinishedAt, State: &StatePosition{"L", 5}, After: &StatePosition{"L", 6},
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("applied (-want +got):\n%s", diff)
		}
		if !found.Claim.FinishedAt.After(found.Claim.ClaimedAt) {
			t.Error("finished before it was claimed")
		}
		refused := b.refusedAs(t, r, StatusApplied)
		if refused.Claim.Run != run || refused.Last.Run != run {
			t.Errorf("refused for %+v", refused)
		}
	})
}

func TestFailedApplyIsNeverTriedAgain(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		run := runNumber("200", 1)
		must(t, b.Claim(t.Context(), r, run, "hubot", Audit{}))
		must(t, b.Finish(t.Context(), r, run, Result{Status: StatusFailed, Reason: strings.Repeat("ü", 5000)}))
		refused := b.refusedAs(t, r, StatusFailed)
		if reason := refused.Claim.Reason; len(reason) > maxReason+3 || !strings.HasPrefix(reason, "üüü") || strings.ContainsRune(reason, '\uFFFD') {
			t.Errorf("reason %q", reason)
		}
		if refused.Last != nil {
			t.Error("a failed apply became the last apply")
		}
		// Neither the run that failed, nor its next attempt.
		for _, again := range []Run{run, runNumber("200", 2)} {
			if err := b.Claim(t.Context(), r, again, "hubot", Audit{}); err == nil {
				t.Errorf("claimed again by %s", again.name())
			}
		}
	})
}

func TestOneOfManyClaimsWins(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		var won, refused atomic.Int32
		var winner atomic.Value
		start := make(chan struct{})
		var all sync.WaitGroup
		stores := []*Store{b.Store, b.open(), b.open()}
		for i := range 50 {
			all.Go(func() {
				<-start
				// Every second one is the same attempt of the same run: two jobs of one
				// workflow.
				run := runNumber(fmt.Sprint(200+i%2*i), 1)
				err := stores[i%len(stores)].Claim(t.Context(), r, run, "x", Audit{})
				var no *NotClaimableError
				switch {
				case err == nil:
					won.Add(1)
					winner.Store(run)
				case errors.As(err, &no) && no.Status == StatusApplying && no.Claim != nil:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		if won.Load() != 1 || refused.Load() != 49 {
			t.Fatalf("%d claims won and %d were refused, want 1 and 49", won.Load(), refused.Load())
		}
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		if found.Claim.Run != winner.Load() {
			t.Errorf("claimed by %v, and %v believes it", found.Claim.Run, winner.Load())
		}
	})
}

func TestOnlyTheRunThatHoldsAClaimFinishesIt(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.put(t, b.newRecord(nil), "plan")
		holder := runNumber("200", 1)
		if err := b.Finish(t.Context(), r, holder, Result{Status: StatusApplied}); !errors.Is(err, ErrNotHolder) {
			t.Errorf("finished without a claim: %v", err)
		}
		must(t, b.Claim(t.Context(), r, holder, "x", Audit{}))
		for _, other := range []Run{runNumber("201", 1), runNumber("200", 2)} {
			for _, status := range []Status{StatusApplied, StatusFailed} {
				if err := b.Finish(t.Context(), r, other, Result{Status: status}); !errors.Is(err, ErrNotHolder) {
					t.Errorf("finished by %s as %s: %v", other.name(), status, err)
				}
			}
		}
		if err := b.Finish(t.Context(), r, holder, Result{Status: StatusPlanned}); err == nil {
			t.Error("finished as planned")
		}
		if got := b.status(t, r); got != StatusApplying {
			t.Fatalf("status %s", got)
		}
		must(t, b.Finish(t.Context(), r, holder, Result{Status: StatusFailed, Reason: "boom"}))
		must(t, b.Finish(t.Context(), r, holder, Result{Status: StatusFailed, Reason: "boom"})) // as after a lost answer
		if err := b.Finish(t.Context(), r, holder, Result{Status: StatusApplied}); !errors.Is(err, ErrNotHolder) {
			t.Errorf("a failed apply was made an applied one: %v", err)
		}
		found, err := b.Find(t.Context(), network, commitA)
		must(t, err)
		if found.Status != StatusFailed || found.Claim.Reason != "boom" || found.Last != nil {
			t.Errorf("found %+v", found)
		}
	})
}

func TestExpiredPlanIsNotClaimed(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		unclaimed := b.put(t, b.newRecord(nil), "plan")
		claimed := b.newRecord(nil)
		claimed.Commit = commitB
		claimed = b.put(t, claimed, "plan")
		b.clock.Advance(24*time.Hour - 10*time.Second)
		if got := b.status(t, unclaimed); got != StatusPlanned {
			t.Errorf("status %s before it expires", got)
		}
		must(t, b.Claim(t.Context(), claimed, runNumber("200", 1), "x", Audit{}))
		b.clock.Advance(time.Minute)
		if got := b.status(t, unclaimed); got != StatusExpired {
			t.Errorf("status %s after it expired", got)
		}
		b.refusedAs(t, unclaimed, StatusExpired)
		// What was claimed in time does not expire.
		b.refusedAs(t, claimed, StatusApplying)
		must(t, b.Finish(t.Context(), claimed, runNumber("200", 1), Result{Status: StatusApplied}))
		if got := b.status(t, claimed); got != StatusApplied {
			t.Errorf("status %s", got)
		}
	})
}

func TestPlanWithoutChangesIsNotClaimed(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		r := b.newRecord(nil)
		r.Outcome = OutcomeNoChanges
		r = b.put(t, r, "plan")
		var refused *NotClaimableError
		if err := b.Claim(t.Context(), r, runNumber("200", 1), "x", Audit{}); err == nil || errors.As(err, &refused) {
			t.Errorf("claim: %v", err)
		}
		if got := b.status(t, r); got != StatusPlanned {
			t.Errorf("status %s", got)
		}
	})
}

// Both sides of the rule are tested: what Find derives in Go, and what the backend decides in
// its transaction (DynamoDB as an expression).
func TestWhatAnAppliedPlanSupersedes(t *testing.T) {
	position := func(lineage string, serial uint64) *StatePosition { return &StatePosition{lineage, serial} }
	const before, after = -time.Hour, time.Hour
	for name, c := range map[string]struct {
		applied, other *StatePosition
		began          time.Duration // of the other's planning, from the end of the apply
		want           Status
	}{
		"earlier serial":                             {position("L", 5), position("L", 4), before, StatusSuperseded},
		"earlier serial, planned later":              {position("L", 5), position("L", 4), after, StatusSuperseded},
		"same serial":                                {position("L", 5), position("L", 5), before, StatusSuperseded},
		"same serial, planned after an apply of it":  {position("L", 5), position("L", 5), after, StatusPlanned},
		"later serial":                               {position("L", 5), position("L", 6), before, StatusPlanned},
		"later serial, of more digits":               {position("L", 9), position("L", 10), before, StatusPlanned},
		"earlier serial, of fewer digits":            {position("L", 10), position("L", 9), after, StatusSuperseded},
		"both on no state":                           {position("", 0), position("", 0), before, StatusSuperseded},
		"on no state, state since made":              {position("L", 1), position("", 0), before, StatusSuperseded},
		"on no state, after the state was removed":   {position("L", 9), position("", 0), after, StatusPlanned},
		"on the state that the first apply made":     {position("", 0), position("L", 1), after, StatusPlanned},
		"another lineage":                            {position("L", 5), position("M", 9), before, StatusSuperseded},
		"another lineage, planned later":             {position("L", 5), position("M", 1), after, StatusPlanned},
		"applied on unknown, planned before":         {nil, position("L", 5), before, StatusSuperseded},
		"applied on unknown, planned after":          {nil, position("L", 5), after, StatusPlanned},
		"planned on unknown, before":                 {position("L", 5), nil, before, StatusSuperseded},
		"planned on unknown, after":                  {position("L", 5), nil, after, StatusPlanned},
		"both unknown, before":                       {nil, nil, before, StatusSuperseded},
		"both unknown, after":                        {nil, nil, after, StatusPlanned},
		"both unknown, planning began as it applied": {nil, nil, 0, StatusSuperseded},
	} {
		t.Run(name, func(t *testing.T) {
			onEachBackend(t, func(t *testing.T, b *backend) {
				first := b.put(t, b.newRecord(c.applied), "first")
				run := runNumber("200", 1)
				b.apply(t, first, run)
				done, err := b.Find(t.Context(), network, commitA)
				must(t, err)

				other := b.newRecord(c.other)
				other.Commit, other.CreatedAt = commitB, done.Last.AppliedAt.Add(c.began)
				other.ExpiresAt = other.CreatedAt.Add(48 * time.Hour)
				other = b.put(t, other, "other")
				b.clock.Advance(max(0, c.began)) // until it was made
				if got := b.status(t, other); got != c.want {
					t.Errorf("status %s, want %s", got, c.want)
				}
				if c.want == StatusSuperseded {
					if refused := b.refusedAs(t, other, StatusSuperseded); refused.Last.Run != run || refused.Last.Commit != commitA {
						t.Errorf("superseded by %+v", refused.Last)
					}
				} else {
					must(t, b.Claim(t.Context(), other, runNumber("201", 1), "x", Audit{}))
				}
			})
		})
	}
}

func TestFirstApplyOfAnotherTargetSupersedesNothing(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		mine := b.put(t, b.newRecord(nil), "mine")
		other := b.newRecord(nil)
		other.Component = "network2"
		other = b.put(t, other, "other")
		b.apply(t, other, runNumber("200", 1))
		if got := b.status(t, mine); got != StatusPlanned {
			t.Errorf("status %s", got)
		}
		must(t, b.Claim(t.Context(), mine, runNumber("201", 1), "x", Audit{}))
	})
}

// A run that applied on serial 5 records it only after another one applied on serial 6 and
// recorded that. Plans made on serial 6 must stay superseded.
func TestSlowFinishDoesNotTurnSupersededPlansIntoPlannedOnes(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		slow := b.put(t, b.newRecord(&StatePosition{"L", 5}), "slow")
		quick := b.newRecord(&StatePosition{"L", 6})
		quick.Commit = commitB
		quick = b.put(t, quick, "quick")
		bystander := b.newRecord(&StatePosition{"L", 6})
		bystander.Commit = strings.Repeat("c", 40)
		bystander = b.put(t, bystander, "bystander")

		must(t, b.Claim(t.Context(), slow, runNumber("200", 1), "x", Audit{}))
		b.apply(t, quick, runNumber("201", 1))
		must(t, b.Finish(t.Context(), slow, runNumber("200", 1), Result{Status: StatusApplied}))

		if got := b.status(t, slow); got != StatusApplied {
			t.Errorf("the slow one is %s", got)
		}
		if refused := b.refusedAs(t, bystander, StatusSuperseded); refused.Last.Run.ID != "201" {
			t.Errorf("last apply by %s, want that of the later state", refused.Last.Run.ID)
		}
	})
}
