package planstore

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Target names one component in one stack of one repository.
type Target struct {
	Repository string // owner/name, of A-Z a-z 0-9 _ . -; GitHub ignores its case, and so do the keys
	Component  string
	Stack      string
}

// String is the target for people, on one line.
func (t Target) String() string { return printable(t.Component) + " in " + printable(t.Stack) }

// CheckRepository refuses a repository that is not owner/name.
func (t Target) CheckRepository() error {
	if !repositoryName().MatchString(t.Repository) {
		return fmt.Errorf("%w: the repository must be owner/name, and is %.200q", ErrName, t.Repository)
	}
	return nil
}

// Check refuses a target whose names can't be a part of a key: see [ErrName].
func (t Target) Check() error {
	if err := t.CheckRepository(); err != nil {
		return err
	}
	if err := checkName("component", t.Component); err != nil {
		return err
	}
	return checkName("stack", t.Stack)
}

// RepositoryKey is the repository as keys begin with it: owner/name.
func (t Target) RepositoryKey() string {
	owner, name, _ := strings.Cut(strings.ToLower(t.Repository), "/")
	return escape(owner) + "/" + escape(name)
}

// Key is TARGET in partition keys: owner/name#component#stack.
func (t Target) Key() string {
	return t.RepositoryKey() + "#" + escape(t.Component) + "#" + escape(t.Stack)
}

// pullRequest is the key of a pull request in the index by-pull-request. It begins with the
// repository, since a number is unique in one repository only.
func (t Target) pullRequest(number int) string { return t.RepositoryKey() + "#" + strconv.Itoa(number) }

// ReadEach reads one item of each target: the one under this sort key, in the partition that
// begins with this prefix. The result is by target, as given. A target without such an item is
// missing in it.
func ReadEach(ctx context.Context, items storage.Items, prefix, sk string, targets []Target) (map[Target]storage.Item, error) {
	var keys []storage.Key
	named := map[storage.Key][]Target{} // several of one: GitHub ignores the case of a repository's name
	for _, t := range targets {
		if err := t.Check(); err != nil {
			return nil, err
		}
		key := storage.Key{Partition: prefix + t.Key(), Sort: sk}
		if named[key] == nil {
			keys = append(keys, key)
		}
		named[key] = append(named[key], t)
	}
	found, err := items.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	read := make(map[Target]storage.Item, len(found))
	for _, item := range found {
		for _, t := range named[item.Key()] {
			read[t] = item
		}
	}
	return read, nil
}

// folder is the part of object keys that names the target: owner/name/component/stack.
func (t Target) folder() string {
	return t.RepositoryKey() + "/" + escape(t.Component) + "/" + escape(t.Stack)
}

// Each kind of item has one writer and its own prefix of the partition key, so that an IAM
// policy can separate the writers by dynamodb:LeadingKeys. Package drift has two more kinds.
const (
	planPrefix  = "plan#"  // written by the plan action
	applyPrefix = "apply#" // written by the apply action
	lockPrefix  = "lock#"  // written by the plan action
)

// driftRecord is how the sort keys of drift plans begin. Those of change plans begin with a
// commit.
const driftRecord = "drift#"

// Sort keys of the items in an apply# partition.
const (
	claimPrefix = "claim#" // and the plan record's sort key
	lastKey     = "last"
)

// lockKey is the sort key of a lock, the only item in its partition.
const lockKey = "pull-request"

// How object keys begin, so that the bucket's lifecycle rules and IAM policies can tell the
// kinds of objects apart.
const (
	planfilePrefix     = "planfiles/"     // which expire
	erroredStatePrefix = "errored-state/" // rescued states, which never do
)

// objectKey is the key of a planfile:
// planfiles/OWNER/REPO/COMPONENT/STACK/COMMIT/SHA256.tfplan.
func objectKey(t Target, commit, digest string) string {
	return planfilePrefix + t.folder() + "/" + commit + "/" + digest + ".tfplan"
}

// builtFilesKey is the key of the archive of built files:
// planfiles/OWNER/REPO/COMPONENT/STACK/COMMIT/SHA256.files.tar.gz.
// It is as secret as the planfile, is kept as long, and the same roles write and read it.
func builtFilesKey(t Target, commit, digest string) string {
	return planfilePrefix + t.folder() + "/" + commit + "/" + digest + ".files.tar.gz"
}

func erroredStateKey(r Record, run Run, digest string) string {
	return erroredStatePrefix + r.folder() + "/" + r.Commit + "/" + run.name() + "/" + digest + ".tfstate"
}

// Run is one attempt of a workflow run.
type Run struct {
	ID      string // GitHub's run id: 1 to 64 of A-Z a-z 0-9 _ -
	Attempt int    // from 1
	URL     string
}

func (r Run) name() string { return r.ID + "." + strconv.Itoa(r.Attempt) }

// Key is the key of the run, with all its attempts, in the index by-run. It begins with the
// repository, since a run id is unique in one repository only.
func (r Run) Key(t Target) string { return t.RepositoryKey() + "#" + r.ID }

// is reports whether both are the same attempt of the same run.
func (r Run) is(other Run) bool { return r.ID == other.ID && r.Attempt == other.Attempt }

// Check refuses a run without an id or an attempt.
func (r Run) Check() error {
	if !runID().MatchString(r.ID) || r.Attempt < 1 {
		return fmt.Errorf("%w: the run must have an id (letters, digits, _ and -) and an attempt from 1, and is %q attempt %d", ErrName, r.ID, r.Attempt)
	}
	return nil
}

var (
	repositoryName = lazily(`^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$`)

	runID    = lazily(`^[A-Za-z0-9_-]{1,64}$`)
	commitID = lazily(`^([0-9a-f]{40}|[0-9a-f]{64})$`) // SHA-1 or SHA-256
	digestID = lazily(`^[0-9a-f]{64}$`)
	// recordID is the shape of [Record.ID].
	recordID = lazily(`^(drift#)?([0-9a-f]{40}|[0-9a-f]{64})#[0-9TZ:.-]{30}#[A-Za-z0-9_-]{1,64}\.[0-9]{1,20}#[0-9a-f]{64}$`)
)

// lazily compiles a pattern when it is first used: the action starts itself twice for each Terraform
// of Atmos, and these five would take nearly a tenth of each start.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// CheckRecordID refuses what can't be the ID of a record.
func CheckRecordID(id string) error {
	if !recordID().MatchString(id) {
		return fmt.Errorf("%w: the ID of a plan record is COMMIT#TIME#RUN.ATTEMPT#SEAL, and is %.300q", ErrName, id)
	}
	return nil
}

// CheckCommit refuses what is not a full commit id.
func CheckCommit(commit string) error {
	if !commitID().MatchString(commit) {
		return fmt.Errorf("%w: the commit must be a full commit id (40 or 64 lower-case hex digits), and is %.80q", ErrName, commit)
	}
	return nil
}
