// Package planstore keeps planfiles, plan records, and who applied what.
//
// A plan is one object (the planfile) and one item (its record). Nobody sees an object without
// its item. An apply writes two more kinds of items: a claim on each plan that it applies, and
// the target's last apply. A plan's [Status] is derived from these three. A target may also
// have a [Lock]. README.md lists the keys and attributes.
//
// A [Store] is safe for use by several goroutines. Package dynamo keeps it in S3 and DynamoDB,
// package folder in a folder; it behaves the same in both.
//
// It has more than 2,000 lines in one package, since the claim on a record and the target's last
// apply are written under conditions on each other, in one transaction, and a plan's status
// follows from all three.
package planstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Store holds the plans of any number of targets.
type Store struct {
	objects storage.Objects
	items   storage.Items
	now     func() time.Time
}

// New returns the store in a backend. now is its clock.
func New(backend storage.Backend, now func() time.Time) *Store {
	return &Store{objects: backend, items: backend, now: now}
}

// Items returns the items of the store, for package drift, which keeps its own beside them.
func (s *Store) Items() storage.Items { return s.items }

// Now returns the time by the store's clock.
func (s *Store) Now() time.Time { return s.now() }

// ErrNotFound is returned by [Store.Find] if a commit has no plan.
var ErrNotFound = problem.With(problem.NoPlan, errors.New("no stored plan"))

// ErrPlanfileGone is returned by [Store.Fetch] if a record's planfile no longer exists: it
// expired, or somebody deleted it.
var ErrPlanfileGone = problem.With(problem.PlanGone, errors.New("the planfile is gone: plan again"))

// ErrDigestMismatch is returned by [Store.Fetch] if the stored planfile is not the recorded
// one. Such a planfile must never be applied.
var ErrDigestMismatch = problem.With(problem.DigestMismatch, errors.New("planfile digest mismatch"))

// Stored is a plan record and what happened to the plan.
type Stored struct {
	Record Record
	Status Status
	Claim  *Claim     // nil when nobody has claimed it, or it was released
	Last   *LastApply // the target's newest apply; nil when there was none
	Lock   *Lock      // the target's lock; nil when there is none or it was released
	// Damaged are the sort keys of newer records that can't be read, and were skipped; ten at
	// most.
	Damaged []string
}

// Put stores a planfile and then its record. It returns the record as [Store.Find] will, with
// its digest, size, object key and version. Until the record is stored, nobody can see the
// planfile. A plan that failed or waits has no planfile: "".
//
// A planfile is a regular file of at most 5 GiB. A CreatedAt of zero becomes now.
func (s *Store) Put(ctx context.Context, r Record, planfile string) (Record, error) {
	return s.PutWithFiles(ctx, r, planfile, "")
}

// PutWithFiles is [Store.Put] with the archive of the built files that travel with the plan; ""
// for none. The archive is stored before the planfile.
func (s *Store) PutWithFiles(ctx context.Context, r Record, planfile, builtFiles string) (Record, error) {
	stored, err := s.put(ctx, r, planfile, builtFiles)
	if err != nil {
		return Record{}, fmt.Errorf("store the plan of %s for commit %s: %w", r.Target, printable(r.Commit), err)
	}
	return stored, nil
}

func (s *Store) put(ctx context.Context, r Record, planfile, builtFiles string) (Record, error) {
	if r.CreatedAt.IsZero() {
		r.CreatedAt = s.now()
	}
	r.CreatedAt = r.CreatedAt.UTC().Round(0)
	r.ExpiresAt = r.ExpiresAt.UTC().Truncate(time.Second)
	r.Digest, r.Size, r.ObjectKey, r.ObjectVersion = "", 0, "", ""
	r.BuiltDigest, r.BuiltSize, r.BuiltVersion = "", 0, ""
	if filesSize(r.Files) > maxFiles {
		r.Files = nil
	}
	if filesSize(r.ModuleFiles) > MaxModuleFiles {
		r.ModuleFiles = nil
	}
	r.Required = boundRequirements(r.Required)
	if err := r.Check(); err != nil {
		return r, err
	}
	switch {
	case (r.Outcome == OutcomeFailed || r.Outcome == OutcomeWaiting) && planfile != "":
		return r, fmt.Errorf("a plan whose outcome is %s has no planfile to store", r.Outcome)
	case r.Outcome == OutcomeChanges && planfile == "":
		return r, errors.New("a plan with changes needs its planfile")
	}
	var err error
	if builtFiles != "" {
		if planfile == "" {
			return r, errors.New("built files travel with a planfile, and there is none")
		}
		r.BuiltDigest, r.BuiltSize, r.BuiltVersion, err = s.putObject(ctx, builtFiles, func(digest string) string { return builtFilesKey(r.Target, r.Commit, digest) })
		if err != nil {
			return r, err
		}
	}
	if planfile != "" {
		r.Digest, r.Size, r.ObjectVersion, err = s.putObject(ctx, planfile, func(digest string) string {
			r.ObjectKey = objectKey(r.Target, r.Commit, digest)
			return r.ObjectKey
		})
		if err != nil {
			return r, err
		}
	}
	r, err = newRecordItem(r).record()
	if err != nil {
		return r, err
	}
	return r, s.putRecord(ctx, r)
}

// putRecord stores the item of a record. If the same record exists already, that is no error;
// if anything else exists under its key, the error is an [ErrAltered].
func (s *Store) putRecord(ctx context.Context, r Record) error {
	item, err := storage.Encode(newRecordItem(r))
	if err != nil {
		return err
	}
	err = s.items.Put(ctx, item, storage.Absent{})
	if refused, ok := errors.AsType[*storage.ConditionError](err); ok {
		if reflect.DeepEqual(refused.Stored, item) {
			return nil
		}
		key := item.Key()
		return fmt.Errorf("%w (%s %s)", ErrAltered, key.Partition, key.Sort)
	}
	return err
}

func filesSize(files map[string]string) (bytes int) {
	for path, hash := range files {
		bytes += len(path) + len(hash)
	}
	return bytes
}

// Find returns the newest change plan of a target for a commit, whatever its outcome, and what
// happened to it. The error is an [ErrNotFound] if there is none, an [ErrAltered] if all are
// damaged, and an [ErrNewerVersion] if a newer version of this code wrote the newest one. It
// costs one Query and one read, however many plans are stored.
//
// Whoever may plan may write anything under the target's key. So Find ignores records from the
// future and skips damaged ones: a plan that is made later is always found.
func (s *Store) Find(ctx context.Context, t Target, commit string) (Stored, error) {
	found, err := s.find(ctx, t, commit)
	if err != nil {
		return Stored{}, fmt.Errorf("find the plan of %s for commit %s: %w", t, printable(commit), err)
	}
	return found, nil
}

func (s *Store) find(ctx context.Context, t Target, commit string) (Stored, error) {
	if err := cmp.Or(t.Check(), CheckCommit(commit)); err != nil {
		return Stored{}, err
	}
	r, damaged, err := s.newest(ctx, t, commit)
	if err != nil {
		return Stored{}, err
	}
	found, err := s.became(ctx, r)
	found.Damaged = damaged
	return found, err
}

// FindRecord returns the plan record of a target with this ID, a change plan or a drift plan,
// and what happened to it. Its errors are those of [Store.Find]; a record that expired and was
// deleted is an [ErrNotFound].
func (s *Store) FindRecord(ctx context.Context, t Target, recordID string) (Stored, error) {
	found, err := s.findRecord(ctx, t, recordID)
	if err != nil {
		return Stored{}, fmt.Errorf("find the plan record %s of %s: %w", printable(recordID), t, err)
	}
	return found, nil
}

func (s *Store) findRecord(ctx context.Context, t Target, recordID string) (Stored, error) {
	if err := cmp.Or(t.Check(), CheckRecordID(recordID)); err != nil {
		return Stored{}, err
	}
	// A Query needs no other permission than Find; GetItem would need one more.
	q := storage.Query{Partition: planPrefix + t.Key(), From: recordID, To: recordID, Expected: 1}
	for item, err := range s.items.Query(ctx, q) {
		if err != nil {
			return Stored{}, err
		}
		r, err := openRecord(item)
		if err = cmp.Or(err, s.checkTimes(r)); err != nil {
			return Stored{}, err
		}
		return s.became(ctx, r)
	}
	return Stored{}, ErrNotFound
}

// became reads what happened to a record.
func (s *Store) became(ctx context.Context, r Record) (Stored, error) {
	stored, err := s.readClaims(ctx, r.Target, r.ID())
	if err != nil {
		return Stored{}, err
	}
	found := Stored{Record: r, Last: stored.last, Lock: stored.lock}
	found.Claim = stored.claim(r.ID())
	found.Status = status(r, found.Claim, stored.last, s.now())
	return found, nil
}
