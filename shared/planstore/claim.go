package planstore

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Claim is the exclusive right of a run to apply one plan, and how it ended.
type Claim struct {
	Status     Status // applying, applied or failed
	Run        Run
	Actor      string
	ClaimedAt  time.Time
	FinishedAt time.Time // zero while applying
	Reason     string    // why it failed
	After      *StatePosition
}

// Result is how an apply ended.
type Result struct {
	Status Status // applied or failed
	Reason string // why it failed; only the first 4,000 bytes are kept
	// After is the position of the state after the apply; nil when unknown. It is kept in
	// the target's last apply, too.
	After *StatePosition
	// MergedCommit is the commit that the plan was applied for, as the workspace held
	// it; empty when unknown. It is kept in the target's last apply.
	MergedCommit string
	// PlannedOn is the position of the state that the plan was made on, where it was
	// made anew for the apply; nil for the record's. It is kept there, too.
	PlannedOn *StatePosition
}

// ErrNotHolder is returned by [Store.Finish] and [Store.Release] to a run that does
// not hold the claim it wants to end, or has ended it otherwise before.
var ErrNotHolder = errors.New("the claim is not held by this run")

// NotClaimableError is returned by [Store.Claim] for a plan that may not be
// applied; Status says why.
type NotClaimableError struct {
	Record Record
	Status Status
	Claim  *Claim     // nil for a plan that was never claimed
	Last   *LastApply // the target's newest apply; nil when there was none
}

func (e *NotClaimableError) Error() string {
	why := "its status is " + string(e.Status)
	switch {
	case e.Status == StatusApplying && e.Claim != nil:
		why = fmt.Sprintf("it is being applied by %s: wait for that run; if it died, check the state and plan again", e.Claim.Run.URL)
	case e.Status == StatusApplied && e.Claim != nil:
		why = fmt.Sprintf("it was already applied by %s: a plan is applied once", e.Claim.Run.URL)
	case e.Status == StatusFailed && e.Claim != nil:
		why = fmt.Sprintf("its apply by %s failed (%s): plan again", e.Claim.Run.URL, e.Claim.Reason)
	case e.Status == StatusFailed:
		why = "its planning failed: fix the configuration and plan again"
	case e.Status == StatusExpired:
		why = fmt.Sprintf("it expired at %s: plan again", e.Record.ExpiresAt.UTC().Format(time.RFC3339))
	case e.Status == StatusSuperseded && e.Last != nil:
		why = fmt.Sprintf("it is superseded by the plan for commit %s, applied by %s: plan again", e.Last.Commit, e.Last.Run.URL)
	}
	return fmt.Sprintf("the plan of %s for commit %s can't be applied: %s", e.Record.Target, e.Record.Commit, why)
}

// Claim gives a run the right to apply a plan, which no other run can get from
// then on, whatever becomes of this one, unless this one gives it back
// ([Store.Release]). Only a plan with changes, or one that waits, that is
// still [StatusPlanned] can be claimed; for any other the error is a *[NotClaimableError].
//
// The same attempt of the same run gets a claim once, too: it may have two jobs
// for one target. A claim whose answer was lost on the way is recognized by a
// token that only this call knows; so nil means held, and is returned also
// when ctx ended just after the claim was written.
func (s *Store) Claim(ctx context.Context, r Record, run Run, actor string) error {
	if err := s.claim(ctx, r, run, actor); err != nil {
		var refused *NotClaimableError
		if errors.As(err, &refused) {
			return err
		}
		return fmt.Errorf("claim the plan of %s for commit %s: %w", r.Target, shown(r.Commit), err)
	}
	return nil
}

func (s *Store) claim(ctx context.Context, r Record, run Run, actor string) error {
	if err := cmp.Or(r.Check(), run.Check()); err != nil {
		return err
	}
	if r.Outcome == OutcomeNoChanges {
		return errors.New("it has no changes: there is nothing to apply")
	}
	now := s.now().UTC()
	mine := heldClaim{
		Claim: Claim{Status: StatusApplying, Run: run, Actor: actor, ClaimedAt: now},
		token: rand.Text(),
	}
	var err error = &storage.ConditionError{}
	if r.Outcome != OutcomeFailed && !r.expired(now) {
		if err = s.putClaim(ctx, r, mine); err == nil {
			return nil
		}
	}
	ctx, cancel := storage.ReadBack(ctx)
	defer cancel()
	stored, readErr := s.readClaims(ctx, r.Target, r.ID())
	claim := stored.of[r.ID()]
	switch {
	case readErr != nil:
		return fmt.Errorf("%w (what became of it is not known: %w)", err, readErr)
	case claim != nil && claim.token == mine.token:
		return nil
	case !isRefused(err):
		return err
	}
	e := &NotClaimableError{Record: r, Last: stored.last, Claim: stored.claim(r.ID())}
	if e.Status = status(r, e.Claim, stored.last, now); e.Status == StatusPlanned {
		return problem.With(problem.Conflict, fmt.Errorf("%w: run this job again", err))
	}
	return e
}

// putClaim claims a record, unless it is superseded, or claimed and that claim was not
// released.
func (s *Store) putClaim(ctx context.Context, r Record, c heldClaim) error {
	item, err := storage.Encode(newClaimItem(r, c))
	if err != nil {
		return err
	}
	return s.items.Transact(ctx, c.token,
		storage.Write{Key: item.Key(), Put: item, If: storage.Any{
			storage.Absent{}, storage.Compare{Path: "status", Is: storage.Equals, Value: string(statusReleased)},
		}},
		storage.Write{Key: lastApplyKey(r.Target), If: notSuperseded(r)})
}

func isRefused(err error) bool {
	_, ok := errors.AsType[*storage.ConditionError](err)
	return ok
}

// maxReason bounds Result.Reason, in bytes.
const maxReason = 4000

// Finish records how the apply of a claimed plan ended. When it was applied, it
// also becomes the target's last apply, which supersedes the older plans. Only
// the run and attempt that hold the claim can finish it, once: for any other
// the error is an [ErrNotHolder]. Finishing again with the same result, after
// an answer that was lost, is not an error.
func (s *Store) Finish(ctx context.Context, r Record, run Run, result Result) error {
	if err := s.finish(ctx, r, run, result); err != nil {
		return problem.With(problem.Unrecorded, fmt.Errorf("record that the plan of %s for commit %s is %s: %w", r.Target, shown(r.Commit), result.Status, err))
	}
	return nil
}

func (s *Store) finish(ctx context.Context, r Record, run Run, result Result) error {
	if result.Status != StatusApplied && result.Status != StatusFailed {
		return fmt.Errorf("an apply ends as applied or failed, and not as %q", result.Status)
	}
	return s.end(ctx, r, run, result)
}

// statusReleased is that of a claim that was given back: as if there were none.
const statusReleased Status = "released"

// Release gives a claim back, so that the plan can be claimed again, by this run or
// another: for an apply that has ended, and has certainly changed nothing. Only the run
// and attempt that hold the claim can do so, once: for any other the error is an
// [ErrNotHolder]. Releasing again for the same reason, after an answer that was lost, is
// not an error.
func (s *Store) Release(ctx context.Context, r Record, run Run, reason string) error {
	if err := s.end(ctx, r, run, Result{Status: statusReleased, Reason: reason}); err != nil {
		return problem.With(problem.Unrecorded, fmt.Errorf("give back the claim on the plan of %s for commit %s: %w", r.Target, shown(r.Commit), err))
	}
	return nil
}

// end writes how a claim ended, by the run that holds it.
func (s *Store) end(ctx context.Context, r Record, run Run, result Result) error {
	if err := cmp.Or(r.Check(), run.Check()); err != nil {
		return err
	}
	if len(result.Reason) > maxReason {
		result.Reason = strings.ToValidUTF8(result.Reason[:maxReason], "") + "…"
	}
	now := s.now().UTC()
	var last *LastApply
	if result.Status == StatusApplied {
		last = &LastApply{
			RecordID: r.ID(), Commit: r.Commit, MergedCommit: result.MergedCommit, PullRequest: r.PullRequest, PlanCreatedAt: r.CreatedAt,
			Run: run, AppliedAt: now, State: cmp.Or(result.PlannedOn, r.State), After: result.After,
		}
	}
	err := s.finishClaim(ctx, r, run, result, now, last)
	if err == nil {
		return nil
	}
	ctx, cancel := storage.ReadBack(ctx)
	defer cancel()
	stored, readErr := s.readClaims(ctx, r.Target, r.ID())
	claim := stored.of[r.ID()]
	switch {
	case readErr != nil:
		return fmt.Errorf("%w (what became of it is not known: %w)", err, readErr)
	case claim != nil && claim.Run.is(run) && claim.Status == result.Status && claim.Reason == result.Reason:
		return nil
	case !isRefused(err):
		return err
	case claim == nil:
		return fmt.Errorf("%w: nobody has claimed it", ErrNotHolder)
	}
	return fmt.Errorf("%w: it is %s by run %s", ErrNotHolder, claim.Status, claim.Run.name())
}

// finishClaim ends the claim that a run holds, and records last, unless that is nil, or a later
// apply is recorded: see notOutdated.
func (s *Store) finishClaim(ctx context.Context, r Record, run Run, result Result, at time.Time, last *LastApply) error {
	end := storage.Write{
		Key: claimKey(r.Target, r.ID()),
		Set: storage.Item{"status": string(result.Status), "finishedAt": storage.FormatTime(at), "reason": result.Reason},
		If: storage.All{
			storage.Compare{Path: "status", Is: storage.Equals, Value: string(StatusApplying)},
			storage.Compare{Path: "runId", Is: storage.Equals, Value: run.ID},
			storage.Compare{Path: "runAttempt", Is: storage.Equals, Value: storage.Number(run.Attempt)},
		},
	}
	if result.After != nil {
		end.Set["stateAfter"] = map[string]any{"lineage": result.After.Lineage, "serial": storage.Number(result.After.Serial)}
	}
	if last == nil {
		return s.items.Transact(ctx, "", end)
	}
	item, err := storage.Encode(newLastItem(r.Target, *last))
	if err != nil {
		return err
	}
	err = s.items.Transact(ctx, "", end, storage.Write{Key: item.Key(), Put: item, If: notOutdated(*last)})
	if refused, ok := errors.AsType[*storage.ConditionError](err); ok && refused.Write == 1 {
		return s.items.Transact(ctx, "", end) // a later apply is already recorded
	}
	return err
}

// claims is what has become of a target and of some of its records.
type claims struct {
	of   map[string]*heldClaim // by record ID, released ones too; nil for one that nobody has claimed
	last *LastApply            // nil when there was none
	lock *Lock                 // nil when nobody holds the target
}

// claim is the claim on a record; nil when nobody has claimed it, or it was given back.
func (c claims) claim(recordID string) *Claim {
	held := c.of[recordID]
	if held == nil || held.Status == statusReleased {
		return nil
	}
	return &held.Claim
}

// heldClaim is a claim with the token of the call that made it.
type heldClaim struct {
	Claim
	token string
}

// readClaims reads what has become of a target and of its records: not at one moment, which in
// DynamoDB would cost twice as much, and fail while a claim or a finish is being written. Nothing
// rests on one moment: the claim decides before the last apply does, and writes check both again.
func (s *Store) readClaims(ctx context.Context, t Target, recordIDs ...string) (claims, error) {
	keys := []storage.Key{lastApplyKey(t), {Partition: lockPrefix + t.Key(), Sort: lockKey}}
	for _, id := range recordIDs {
		keys = append(keys, claimKey(t, id))
	}
	items, err := s.items.Get(ctx, keys...)
	if err != nil {
		return claims{}, err
	}
	read := claims{of: map[string]*heldClaim{}}
	for _, item := range items {
		switch sk := item.Key().Sort; sk {
		case lastKey:
			read.last, err = openLastApply(item)
		case lockKey:
			read.lock, err = openHeldLock(item, t)
		default:
			read.of[strings.TrimPrefix(sk, claimPrefix)], err = openClaim(item)
		}
		if err != nil {
			return claims{}, err
		}
	}
	return read, nil
}
