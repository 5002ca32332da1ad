package planstore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Record is the metadata of one plan. It is never changed once stored.
type Record struct {
	Target
	Commit string // the commit that was planned: its full id
	// CreatedAt is when the planning began: before Terraform read the state,
	// so that an apply that ended meanwhile counts as later.
	CreatedAt time.Time
	Run       Run
	Actor     string
	Kind      Kind
	Outcome   Outcome

	// Set by [Store.Put], and empty for a record without a planfile.
	Digest        string // hex SHA-256 of the planfile
	Size          int64  // bytes
	ObjectKey     string
	ObjectVersion string // empty when unknown: the same planfile was there already, or nothing keeps versions

	// Set by [Store.PutWithFiles], and empty for a record without built files.
	BuiltDigest  string // hex SHA-256 of the archive of the files that travel with the plan
	BuiltSize    int64  // of the archive, bytes
	BuiltVersion string // as ObjectVersion

	ConfigurationDigest string
	// Files are the configuration's files with their short hashes, to name
	// those that differ. Left out by Put when larger than 200 KB in all.
	Files map[string]string

	// ModulesDigest is the hex SHA-256 over the files of the modules from outside of the
	// repository, as init had installed them; empty in records of version 2 and older, and
	// of a plan that failed.
	ModulesDigest string
	// ModuleFiles are these files with their short hashes. Left out by Put when larger
	// than [MaxModuleFiles].
	ModuleFiles map[string]string

	TerraformName    string // terraform or tofu
	TerraformVersion string
	State            *StatePosition // that the plan was made on; nil when unknown
	Counts           changes.Counts

	// Mode is what the plan is for, as package terraform names it: empty for what the
	// configuration says, else "destroy" or "refresh-only". Targets and Replace are the
	// addresses that it was limited to (-target) and was to replace (-replace), sorted.
	Mode             string
	Targets, Replace []string

	// Dependencies are the targets that this one depends on whose state position
	// was known when the planning began, sorted by component and stack.
	Dependencies []Dependency

	PullRequest int // 0 when there is none
	Branch      string
	BaseCommit  string

	// ExpiresAt is when the plan stops being one to apply, in whole seconds.
	// The record vanishes some time after, at most a few days.
	ExpiresAt time.Time
}

// ID names the record among its target's: its sort key,
// COMMIT#CREATED#RUN.ATTEMPT#SEAL, where CREATED is UTC to the nanosecond and
// SEAL a digest of all else in the record, so that no other record can ever
// pass for it. A drift plan's begins with "drift#", so that [Store.Find] never
// takes one, which nobody has reviewed with a pull request, for the plan of its
// commit.
//
// The ID of a record that has gone through [Store.Put] is the stored one's.
func (r Record) ID() string { return newRecordItem(r).SK }

// sortKey is the ID without its seal: records sort by it.
func (r Record) sortKey() string {
	prefix := ""
	if r.Kind == KindDrift {
		prefix = driftRecord
	}
	return prefix + r.Commit + "#" + storage.FormatTime(r.CreatedAt) + "#" + r.Run.name()
}

// Kind is what a plan was made for.
type Kind string

// The kinds of plans.
const (
	KindChange Kind = "change" // for a pull request or a commit
	KindDrift  Kind = "drift"  // by the drift schedule
)

// Outcome is how a planning ended.
type Outcome string

// The outcomes of a planning.
const (
	OutcomeChanges   Outcome = "changes"
	OutcomeNoChanges Outcome = "no-changes"
	OutcomeFailed    Outcome = "failed"
	// OutcomeWaiting is of a target that could not be planned, since what it reads is only
	// made by the apply of a dependency that the same commit changes. It has no planfile:
	// whoever claims it plans first.
	OutcomeWaiting Outcome = "waiting"
)

// StatePosition is a point in a state's history. A plan made on no state at
// all has the zero position, which is a known one.
type StatePosition struct {
	Lineage string
	Serial  uint64
}

// maxFiles bounds Record.Files, in bytes of paths and hashes: half of what
// DynamoDB takes as one item (400 KB), which holds the names twice over.
const maxFiles = 200 << 10

// MaxModuleFiles bounds Record.ModuleFiles, in bytes of names and hashes.
const MaxModuleFiles = 60 << 10

// Check refuses a record that could not be found or told apart again.
func (r Record) Check() error {
	if err := r.Target.Check(); err != nil {
		return err
	}
	if err := CheckCommit(r.Commit); err != nil {
		return err
	}
	if err := r.Run.Check(); err != nil {
		return err
	}
	if err := checkDependencies(r.Dependencies); err != nil {
		return err
	}
	if err := checkScope(r.Mode, r.Targets, r.Replace); err != nil {
		return err
	}
	switch {
	case r.Kind != KindChange && r.Kind != KindDrift:
		return fmt.Errorf("unknown kind of plan %q", r.Kind)
	case r.Outcome != OutcomeChanges && r.Outcome != OutcomeNoChanges && r.Outcome != OutcomeFailed && r.Outcome != OutcomeWaiting:
		return fmt.Errorf("unknown outcome of a plan %q", r.Outcome)
	case r.CreatedAt.Year() < 1970 || r.CreatedAt.Year() > 9999:
		return errors.New("a plan record needs the time it was created at")
	case !r.ExpiresAt.After(r.CreatedAt):
		return errors.New("a plan record must expire later than it was created")
	}
	return nil
}

// checkBuilt refuses a record of built files that can't be.
func (r Record) checkBuilt() error {
	switch {
	case r.BuiltDigest == "":
		return errors.New("the record has no built files")
	case !digestID.MatchString(r.BuiltDigest), r.BuiltSize < 0, r.BuiltSize > maxObject:
		return fmt.Errorf("the record is damaged: digest of built files %.80q, size %d", r.BuiltDigest, r.BuiltSize)
	}
	return nil
}

// ApprovalDigest is the hex SHA-256 that stands for all that an apply of the plan uses: of
// the planfile, or, where files travel with it, over the digests of both.
func (r Record) ApprovalDigest() string {
	if r.BuiltDigest == "" {
		return r.Digest
	}
	sum := sha256.Sum256([]byte(r.Digest + "\n" + r.BuiltDigest + "\n"))
	return hex.EncodeToString(sum[:])
}

// checkPlanfile refuses a record whose planfile is not its own: whoever can
// write records must not be able to make an apply fetch another target's or
// another repository's object.
func (r Record) checkPlanfile() error {
	switch {
	case r.Digest == "":
		return errors.New("the record has no planfile")
	case !digestID.MatchString(r.Digest), r.Size < 0, r.Size > maxObject:
		return fmt.Errorf("the record is damaged: digest %.80q, size %d", r.Digest, r.Size)
	case r.ObjectKey != objectKey(r.Target, r.Commit, r.Digest):
		return fmt.Errorf("the record is damaged: its object key %.200q is not that of its target, commit and digest", r.ObjectKey)
	}
	return nil
}
