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

// Claim is the exclusive right of a run to apply one plan, and how that apply ended.
type Claim struct {
	Status     Status // applying, applied or failed
	Run        Run
	Actor      string
	ClaimedAt  time.Time
	FinishedAt time.Time // zero while applying
	Reason     string    // why it failed
	Audit      Audit     // the zero value for a claim of an older version
}

// Result is how an apply ended.
type Result struct {
	Status Status // applied or failed
	Reason string // why it failed; only the first 4,000 bytes are kept
	// After is the position of the state after the apply; nil if unknown. The target's last
	// apply keeps it.
	After *StatePosition
	// MergedCommit is the commit that the plan was applied for; empty if unknown. The target's
	// last apply keeps it.
	MergedCommit string
	// PlannedOn is the position of the state that the apply planned on when it planned again;
	// nil: use the record's. The target's last apply keeps it.
	PlannedOn *StatePosition
}

// ErrNotHolder is returned by [Store.Finish] and [Store.Release] if the run does not hold the
// claim, or ended it differently before.
var ErrNotHolder = errors.New("the claim is not held by this run")

// NotClaimableError is returned by [Store.Claim] for a plan that must not be applied. Status
// says why.
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

// Claim gives a run the right to apply a plan. After that no other run can get it, whatever
// happens to this one, unless this run gives it back ([Store.Release]). Only a plan with
// changes, or one that waits, can be claimed, and only while it is [StatusPlanned]. For any
// other plan the error is a *[NotClaimableError].
//
// The same attempt of the same run also gets a claim only once: it may have two jobs for one
// target. If the answer to the claim is lost, a token that only this call knows tells whether
// the claim was written. So nil means that the claim is held, also if ctx ended just after the
// claim was written.
//
// The claim keeps the audit, bounded: see [Audit].
func (s *Store) Claim(ctx context.Context, r Record, run Run, actor string, audit Audit) error {
	if err := s.claim(ctx, r, run, actor, audit); err != nil {
		var refused *NotClaimableError
		if errors.As(err, &refused) {
			return err
		}
		return fmt.Errorf("claim the plan of %s for commit %s: %w", r.Target, printable(r.Commit), err)
	}
	return nil
}

func (s *Store) claim(ctx context.Context, r Record, run Run, actor string, audit Audit) error {
	if err := cmp.Or(r.Check(), run.Check()); err != nil {
		return err
	}
	if r.Outcome == OutcomeNoChanges {
		return errors.New("it has no changes: there is nothing to apply")
	}
	now := s.now().UTC()
	mine := heldClaim{
		Claim: Claim{Status: StatusApplying, Run: run, Actor: actor, ClaimedAt: now, Audit: audit},
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
		return fmt.Errorf("%w (and whether it was done is not known: %w)", err, readErr)
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

// putClaim claims a record, unless it is superseded, or claimed already and not released.
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

// maxReason limits Result.Reason, in bytes.
const maxReason = 4000

// Finish records how the apply of a claimed plan ended. An applied plan also becomes the
// target's last apply, which supersedes the older plans. Only the run and attempt that hold the
// claim can finish it, once; for any other the error is an [ErrNotHolder]. Finishing again with
// the same result, after a lost answer, is no error.
func (s *Store) Finish(ctx context.Context, r Record, run Run, result Result) error {
	if err := s.finish(ctx, r, run, result); err != nil {
		return problem.With(problem.Unrecorded, fmt.Errorf("record that the plan of %s for commit %s is %s: %w", r.Target, printable(r.Commit), result.Status, err))
	}
	return nil
}

func (s *Store) finish(ctx context.Context, r Record, run Run, result Result) error {
	if result.Status != StatusApplied && result.Status != StatusFailed {
		return fmt.Errorf("an apply ends as applied or failed, and not as %q", result.Status)
	}
	return s.end(ctx, r, run, result)
}

// statusReleased is the status of a claim that was given back. Such a claim counts as none.
const statusReleased Status = "released"

// Release gives a claim back, so that this run or another can claim the plan again. It is for
// an apply that certainly changed nothing. Only the run and attempt that hold the claim can
// release it, once; for any other the error is an [ErrNotHolder]. Releasing again for the same
// reason, after a lost answer, is no error.
func (s *Store) Release(ctx context.Context, r Record, run Run, reason string) error {
	if err := s.end(ctx, r, run, Result{Status: statusReleased, Reason: reason}); err != nil {
		return problem.With(problem.Unrecorded, fmt.Errorf("give back the claim on the plan of %s for commit %s: %w", r.Target, printable(r.Commit), err))
	}
	return nil
}

// end ends the claim that a run holds.
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
			Destroyed: r.Mode == "destroy" && len(r.Targets) == 0,
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
		return fmt.Errorf("%w (and whether it was done is not known: %w)", err, readErr)
	case claim != nil && claim.Run.is(run) && claim.Status == result.Status && claim.Reason == result.Reason:
		return nil
	case !isRefused(err):
		return err
	case claim == nil:
		return fmt.Errorf("%w: nobody has claimed it", ErrNotHolder)
	}
	return fmt.Errorf("%w: it is %s by run %s", ErrNotHolder, claim.Status, claim.Run.name())
}

// finishClaim writes how a claim ended. It also writes the last apply, unless that is nil or a
// later one is stored: see notLater.
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
	if last == nil {
		return s.items.Transact(ctx, "", end)
	}
	item, err := storage.Encode(newLastItem(r.Target, *last))
	if err != nil {
		return err
	}
	err = s.items.Transact(ctx, "", end, storage.Write{Key: item.Key(), Put: item, If: notLater(*last)})
	if refused, ok := errors.AsType[*storage.ConditionError](err); ok && refused.Write == 1 {
		return s.items.Transact(ctx, "", end) // a later apply is already recorded
	}
	return err
}

// claims is what happened to a target and to some of its records.
type claims struct {
	of   map[string]*heldClaim // by record ID, released ones too; nil for one that nobody has claimed
	last *LastApply            // nil when there was none
	lock *Lock                 // nil when nobody holds the target
}

// claim returns the claim on a record; nil if nobody claimed it, or if the claim was released.
func (c claims) claim(recordID string) *Claim {
	held := c.of[recordID]
	if held == nil || held.Status == statusReleased {
		return nil
	}
	return &held.Claim
}

// heldClaim is a claim and the token of the call that wrote it.
type heldClaim struct {
	Claim
	token string
}

// readClaims reads what happened to a target and its records. It does not read all at one
// moment: in DynamoDB that would cost twice as much, and fail while a claim is being written.
// Nothing depends on one moment: the claim decides before the last apply does, and writes check
// both again.
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
