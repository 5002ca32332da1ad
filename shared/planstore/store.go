// Package planstore keeps planfiles, plan records, and who applied what.
//
// A plan is one object (the planfile) and one item (its record); the item is
// what makes the object exist for anyone. Two more kinds of item belong to the
// apply side: a claim for each plan that a run has taken on to apply, and the
// target's last apply. A plan's [Status] is derived from these three. Beside
// them, a target has its latest drift result, the link to its drift issue, and
// perhaps a [Lock]. README.md lists the keys and attributes.
//
// A [Store] is safe for use by several goroutines. Its state is in S3 and
// DynamoDB ([OpenAWS]) or in a folder ([OpenDirectory]); both behave the same.
package planstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Store holds the plans of any number of targets.
type Store struct {
	objects objects
	items   items
	now     func() time.Time
}

// objects keeps files under their keys, never replacing one.
type objects interface {
	// put stores a file that is read from its start, whose size and SHA-256 are
	// known. An object that is there already stays, and is not an error; the
	// version is empty when there is none or it is not known.
	put(ctx context.Context, key string, f *os.File, sum fingerprint) (version string, err error)
	// get opens an object; the error is an ErrPlanfileGone when it is not there.
	get(ctx context.Context, key, version string) (io.ReadCloser, error)
	// location is where people find an object.
	location(key string) string
}

// items keeps records, claims and last applies. Each method is atomic.
type items interface {
	// putRecord adds a record; that very record being there is not an error,
	// and anything else under its key is an ErrAltered.
	putRecord(ctx context.Context, r Record) error
	// eachRecord hands on the records of a commit that sort before an end, the newest
	// first, each with its sort key and the error of openRecord, until one is enough.
	eachRecord(ctx context.Context, t Target, commit, end string, enough func(sk string, r Record, err error) bool) error
	// record reads one record by its ID, or returns ErrNotFound, or an error of openRecord.
	record(ctx context.Context, t Target, recordID string) (Record, error)
	// readClaims reads what has become of a target and of its records.
	readClaims(ctx context.Context, t Target, recordIDs ...string) (claims, error)
	// lastApplies reads those with these partition keys, each named once.
	lastApplies(ctx context.Context, pks []string) ([]lastItem, error)
	// changePlans reads, in short, the change plans in a partition.
	changePlans(ctx context.Context, pk string) ([]shortItem, error)
	// ofPullRequest reads, in short, the items of a pull request, as
	// Target.pullRequest names it, with a partition key of this prefix.
	ofPullRequest(ctx context.Context, prefix, pullRequest string) ([]shortItem, error)
	// putClaim claims a record, or returns errCondition when it is superseded, or claimed
	// and that claim was not released.
	putClaim(ctx context.Context, r Record, c heldClaim) error
	// finishClaim ends the claim that a run holds, and records last (when not
	// nil) unless the present one outdates it. It returns errCondition when the
	// run does not hold the claim.
	finishClaim(ctx context.Context, r Record, run Run, result Result, at time.Time, last *LastApply) error

	// putDriftResult puts a drift result in the place of an older one, or does
	// nothing when a newer one is there. Of one whose time is later than now none is newer.
	putDriftResult(ctx context.Context, item driftItem, now string) error
	// driftResults reads those with a partition key of this prefix that a run,
	// as Run.key names it, has written.
	driftResults(ctx context.Context, prefix, run string) ([]driftItem, error)
	// driftIssues reads those with these partition keys, each named once.
	driftIssues(ctx context.Context, pks []string) ([]issueItem, error)
	// putDriftIssue puts a drift issue in the place of the revision before it,
	// or returns errCondition when something else is there.
	putDriftIssue(ctx context.Context, item issueItem) error

	// locks reads those with these partition keys, each named once.
	locks(ctx context.Context, pks []string) ([]lockItem, error)
	// putLock puts a lock in the place of the revision before it, or returns
	// errCondition when something else is there.
	putLock(ctx context.Context, item lockItem) error
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

// errCondition says that a write was refused because of what is stored.
var errCondition = errors.New("the store has changed meanwhile")

// ErrNotFound is returned by [Store.Find] when a commit has no plan.
var ErrNotFound = problem.With(problem.NoPlan, errors.New("no stored plan"))

// ErrPlanfileGone is returned by [Store.Fetch] when a record's planfile is no
// longer stored: it has expired or somebody deleted it.
var ErrPlanfileGone = problem.With(problem.PlanGone, errors.New("the planfile is gone: plan again"))

// ErrDigestMismatch is returned by [Store.Fetch] when the stored planfile is not
// the one that was recorded. It must never be applied.
var ErrDigestMismatch = problem.With(problem.DigestMismatch, errors.New("planfile digest mismatch"))

// Stored is a plan record and what has become of the plan.
type Stored struct {
	Record Record
	Status Status
	Claim  *Claim     // nil when nobody has claimed it, or it was released
	Last   *LastApply // the target's newest apply; nil when there was none
	Lock   *Lock      // the target's lock; nil when there is none or it was released
	// Spoiled are the sort keys of newer records that are not whole, and were stepped
	// over; ten at most.
	Spoiled []string
}

// Put stores a planfile and then its record, and returns the record with its
// digest, size, object key and version set: just as [Store.Find] will. Until the
// record is written nobody can see the planfile. A plan that failed or
// waits has no planfile: "".
//
// A planfile must be a plain file of at most 5 GiB. CreatedAt is set to now
// when it is zero.
func (s *Store) Put(ctx context.Context, r Record, planfile string) (Record, error) {
	return s.PutWithFiles(ctx, r, planfile, "")
}

// PutWithFiles is [Store.Put] with the archive of the built files that travel with the
// plan, which is stored before the planfile; "" for none.
func (s *Store) PutWithFiles(ctx context.Context, r Record, planfile, builtFiles string) (Record, error) {
	stored, err := s.put(ctx, r, planfile, builtFiles)
	if err != nil {
		return Record{}, fmt.Errorf("store the plan of %s for commit %s: %w", r.Target, shown(r.Commit), err)
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
	if err := r.check(); err != nil {
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
	return r, s.items.putRecord(ctx, r)
}

// putObject stores a file under the key that its digest gives it.
func (s *Store) putObject(ctx context.Context, path string, key func(digest string) string) (digest string, size int64, version string, err error) {
	f, sum, err := openMeasured(path)
	if err != nil {
		return "", 0, "", err
	}
	defer f.Close()
	version, err = s.objects.put(ctx, key(sum.digest()), f, sum)
	return sum.digest(), sum.size, version, err
}

func filesSize(files map[string]string) (bytes int) {
	for path, hash := range files {
		bytes += len(path) + len(hash)
	}
	return bytes
}

// Find returns the newest change plan of a target for a commit, of whatever
// outcome, and what has become of it. The error is an [ErrNotFound] when there
// is none, an [ErrAltered] when none is whole, and an [ErrNewerVersion] when the
// newest is not to be read. It costs one Query and one read, however many plans are
// stored.
//
// Whoever may plan may write anything under the target's key. So what says that it
// is from the future is not looked at, and what is not whole is stepped over: a plan
// that is made later is always found.
func (s *Store) Find(ctx context.Context, t Target, commit string) (Stored, error) {
	found, err := s.find(ctx, t, commit)
	if err != nil {
		return Stored{}, fmt.Errorf("find the plan of %s for commit %s: %w", t, shown(commit), err)
	}
	return found, nil
}

func (s *Store) find(ctx context.Context, t Target, commit string) (Stored, error) {
	if err := cmp.Or(t.check(), checkCommit(commit)); err != nil {
		return Stored{}, err
	}
	r, spoiled, err := s.newestWhole(ctx, t, commit)
	if err != nil {
		return Stored{}, err
	}
	found, err := s.became(ctx, r)
	found.Spoiled = spoiled
	return found, err
}

// FindRecord returns the one plan record of a target with this ID, a change plan
// or a drift plan, and what has become of it. Its errors are those of
// [Store.Find]; a record that has expired and vanished is an [ErrNotFound], too.
func (s *Store) FindRecord(ctx context.Context, t Target, recordID string) (Stored, error) {
	found, err := s.findRecord(ctx, t, recordID)
	if err != nil {
		return Stored{}, fmt.Errorf("find the plan record %s of %s: %w", shown(recordID), t, err)
	}
	return found, nil
}

func (s *Store) findRecord(ctx context.Context, t Target, recordID string) (Stored, error) {
	if err := cmp.Or(t.check(), checkRecordID(recordID)); err != nil {
		return Stored{}, err
	}
	r, err := s.items.record(ctx, t, recordID)
	if err == nil {
		err = s.checkTimes(r)
	}
	if err != nil {
		return Stored{}, err
	}
	return s.became(ctx, r)
}

// became reads what has become of a record that was found.
func (s *Store) became(ctx context.Context, r Record) (Stored, error) {
	stored, err := s.items.readClaims(ctx, r.Target, r.ID())
	if err != nil {
		return Stored{}, err
	}
	found := Stored{Record: r, Last: stored.last, Lock: stored.lock}
	found.Claim = stored.claim(r.ID())
	found.Status = status(r, found.Claim, stored.last, s.now())
	return found, nil
}

// Fetch writes a record's planfile to a new file of mode 0600 and proves that
// it is the recorded one: [ErrDigestMismatch] when it is not, [ErrPlanfileGone]
// when it is no longer there. No file is left behind on an error, and never
// more than the recorded size, and one byte, is read.
func (s *Store) Fetch(ctx context.Context, r Record, path string) error {
	if err := s.fetch(ctx, r, path); err != nil {
		return fmt.Errorf("fetch the planfile of %s for commit %s: %w", r.Target, shown(r.Commit), err)
	}
	return nil
}

func (s *Store) fetch(ctx context.Context, r Record, path string) error {
	if err := cmp.Or(r.check(), r.checkPlanfile()); err != nil {
		return err
	}
	return s.fetchObject(ctx, r.ObjectKey, r.ObjectVersion, r.Size, r.Digest, path)
}

// FetchFiles is [Store.Fetch] for the archive of a record's built files, which the record
// must have (BuiltDigest).
func (s *Store) FetchFiles(ctx context.Context, r Record, path string) error {
	err := cmp.Or(r.check(), r.checkBuilt())
	if err == nil {
		err = s.fetchObject(ctx, builtFilesKey(r.Target, r.Commit, r.BuiltDigest), r.BuiltVersion, r.BuiltSize, r.BuiltDigest, path)
	}
	if err != nil {
		return fmt.Errorf("fetch the built files of %s for commit %s: %w", r.Target, shown(r.Commit), err)
	}
	return nil
}

func (s *Store) fetchObject(ctx context.Context, key, version string, size int64, digest, path string) error {
	object, err := s.objects.get(ctx, key, version)
	if err != nil {
		return err
	}
	defer object.Close()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = errors.Join(copyMeasured(f, object, size, digest), f.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// PutErroredState stores the state file that Terraform left because it could
// not write it to the backend, where it never expires, and returns where: an
// s3:// address or a file's path.
func (s *Store) PutErroredState(ctx context.Context, r Record, run Run, path string) (location string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("store the errored state of %s: %w", r.Target, err)
		}
	}()
	if err := cmp.Or(r.check(), run.check()); err != nil {
		return "", err
	}
	f, sum, err := openMeasured(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	key := erroredStateKey(r, run, sum.digest())
	if _, err := s.objects.put(ctx, key, f, sum); err != nil {
		return "", err
	}
	return s.objects.location(key), nil
}
