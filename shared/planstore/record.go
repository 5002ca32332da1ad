package planstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Record is the metadata of one plan. It is never changed once stored.
type Record struct {
	Target
	Commit string // the commit that was planned: its full id
	// CreatedAt is when the planning began, before Terraform read the state. So an apply that
	// ended in between counts as later.
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
	// Files are the configuration's files with their short hashes, to name those that differ.
	// Put leaves them out if they have more than 200 KB in all.
	Files map[string]string

	// ModulesDigest is the hex SHA-256 over the files of modules from outside of the
	// repository, as init installed them. It is empty in records of version 2 and older, and of
	// a plan that failed.
	ModulesDigest string
	// ModuleFiles are these files with their short hashes. Put leaves them out if they are
	// larger than [MaxModuleFiles].
	ModuleFiles map[string]string

	TerraformName    string // terraform or tofu
	TerraformVersion string
	State            *StatePosition // that the plan was made on; nil when unknown
	Counts           changes.Counts

	// Mode is "destroy" or "refresh-only"; empty for a normal plan. Targets are the addresses
	// of -target, Replace those of -replace, sorted.
	Mode             string
	Targets, Replace []string

	// Dependencies are the targets that this one depends on and whose state position was known
	// when the planning began, sorted by component and stack.
	Dependencies []Dependency

	// ChangesDigest is changes.Plan.Digest of the plan's changes, in hex; empty when unknown.
	ChangesDigest string
	// What the policies said of the plan: to inform people, since whoever may write records may
	// forge it. An apply evaluates the policies again.
	PolicyDigest string // hex SHA-256 of the policies; empty: there were none
	PolicyResult string // passed, warned or denied; empty: there were no policies
	// Required are the approvals that the policies and the settings ask for, also to inform.
	// Put keeps 20.
	Required []approvals.Requirement
	// EqualTo are the IDs of the plans of the same pull request and target right before this
	// one that say the same, newest first; at most [MaxEqualTo]. They may be forged: whoever
	// uses one compares it.
	EqualTo []string

	PullRequest int // 0 when there is none
	Branch      string
	BaseCommit  string

	// ExpiresAt is when the plan can no longer be applied, in whole seconds. The record is
	// deleted some days later at most.
	ExpiresAt time.Time
}

// ID is the record's sort key: COMMIT#CREATED#RUN.ATTEMPT#SEAL. CREATED is UTC to the
// nanosecond. SEAL is a digest of all else in the record, so that no other record can have this
// ID. The ID of a drift plan begins with "drift#": so [Store.Find] never takes a drift plan,
// which nobody reviewed, for the plan of a commit.
//
// Put may change a record. Its ID is the one that Put returns.
func (r Record) ID() string { return newRecordItem(r).SK }

// sortKey is the ID without its seal. Records sort by it.
func (r Record) sortKey() string {
	prefix := ""
	if r.Kind == KindDrift {
		prefix = driftRecord
	}
	return prefix + r.Commit + "#" + storage.FormatTime(r.CreatedAt) + "#" + r.Run.name()
}

// Kind is why a plan was made.
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
	// OutcomeWaiting: the target could not be planned yet, since it reads what the apply of a
	// dependency will create. The same commit changes both. There is no planfile: whoever
	// claims the record plans first.
	OutcomeWaiting Outcome = "waiting"
)

// StatePosition is a point in a state's history. The zero position is known: there is no state
// yet.
type StatePosition struct {
	Lineage string
	Serial  uint64
}

var policyResult = regexp.MustCompile(`^(|passed|warned|denied)$`)

// maxFiles limits Record.Files, in bytes of paths and hashes. DynamoDB takes items of 400 KB at
// most.
const maxFiles = 200 << 10

// MaxModuleFiles limits Record.ModuleFiles, in bytes of names and hashes.
const MaxModuleFiles = 60 << 10

// Check refuses a record that can't be stored.
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
	if err := cmp.Or(checkRequirements(r.Required), checkEqualTo(r.EqualTo)); err != nil {
		return err
	}
	switch {
	case !policyResult.MatchString(r.PolicyResult):
		return fmt.Errorf("unknown result of policies %.80q", r.PolicyResult)
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

// checkBuilt refuses a record whose built files can't be fetched.
func (r Record) checkBuilt() error {
	switch {
	case r.BuiltDigest == "":
		return errors.New("the record has no built files")
	case !digestID().MatchString(r.BuiltDigest), r.BuiltSize < 0, r.BuiltSize > maxObject:
		return fmt.Errorf("the record is damaged: digest of built files %.80q, size %d", r.BuiltDigest, r.BuiltSize)
	}
	return nil
}

// ApprovalDigest is the hex SHA-256 of all that an apply of the plan uses: that of the
// planfile, or, if built files travel with it, one over both digests.
func (r Record) ApprovalDigest() string {
	if r.BuiltDigest == "" {
		return r.Digest
	}
	sum := sha256.Sum256([]byte(r.Digest + "\n" + r.BuiltDigest + "\n"))
	return hex.EncodeToString(sum[:])
}

// checkPlanfile refuses a record that names another planfile than its own. Otherwise whoever
// can write records could make an apply fetch an object of another target or repository.
func (r Record) checkPlanfile() error {
	switch {
	case r.Digest == "":
		return errors.New("the record has no planfile")
	case !digestID().MatchString(r.Digest), r.Size < 0, r.Size > maxObject:
		return fmt.Errorf("the record is damaged: digest %.80q, size %d", r.Digest, r.Size)
	case r.ObjectKey != objectKey(r.Target, r.Commit, r.Digest):
		return fmt.Errorf("the record is damaged: its object key %.200q is not that of its target, commit and digest", r.ObjectKey)
	}
	return nil
}
