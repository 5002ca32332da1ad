package planstore

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Target names one component in one stack of one repository.
type Target struct {
	Repository string // owner/name, of A-Z a-z 0-9 _ . -; GitHub ignores its case, and so do the keys
	Component  string
	Stack      string
}

// String names the target for people, on one line.
func (t Target) String() string { return shown(t.Component) + " in " + shown(t.Stack) }

func (t Target) checkRepository() error {
	if !repositoryName.MatchString(t.Repository) {
		return fmt.Errorf("%w: the repository must be owner/name, and is %.200q", ErrName, t.Repository)
	}
	return nil
}

func (t Target) check() error {
	if err := t.checkRepository(); err != nil {
		return err
	}
	if err := checkName("component", t.Component); err != nil {
		return err
	}
	return checkName("stack", t.Stack)
}

// repository is the repository as the beginning of a key: owner/name.
func (t Target) repository() string {
	owner, name, _ := strings.Cut(strings.ToLower(t.Repository), "/")
	return escape(owner) + "/" + escape(name)
}

// key is TARGET in partition keys: owner/name#component#stack.
func (t Target) key() string {
	return t.repository() + "#" + escape(t.Component) + "#" + escape(t.Stack)
}

// pullRequest names a pull request of the target's repository in the index
// by-pull-request: its number is unique in one repository only.
func (t Target) pullRequest(number int) string { return t.repository() + "#" + strconv.Itoa(number) }

// partitions are the partition keys of targets, each once, and the targets that
// each is of, as given: GitHub ignores the case of a repository's name.
func partitions(prefix string, targets []Target) (pks []string, named map[string][]Target, err error) {
	named = map[string][]Target{}
	for _, t := range targets {
		if err := t.check(); err != nil {
			return nil, nil, err
		}
		pk := prefix + t.key()
		if named[pk] == nil {
			pks = append(pks, pk)
		}
		named[pk] = append(named[pk], t)
	}
	return pks, named, nil
}

// folder is the target's part of its objects' keys: owner/name/component/stack.
func (t Target) folder() string {
	return t.repository() + "/" + escape(t.Component) + "/" + escape(t.Stack)
}

// Each kind of item has one writer and its own prefix of the partition key, so
// that an IAM policy can hold the writers apart by dynamodb:LeadingKeys.
const (
	planPrefix  = "plan#"  // written by the plan action
	applyPrefix = "apply#" // written by the apply action
	driftPrefix = "drift#" // written by the plan action, in drift mode
	issuePrefix = "issue#" // written by the drift actions
	lockPrefix  = "lock#"  // written by the plan action
)

// driftRecord begins the sort keys of drift plans in a plan# partition, where
// those of change plans begin with a commit.
const driftRecord = "drift#"

// Sort keys of the items in an apply# partition.
const (
	claimPrefix = "claim#" // and the plan record's sort key
	lastKey     = "last"
)

// Sort keys of the one item in a drift#, issue# or lock# partition.
const (
	resultKey = "result"
	issueKey  = "drift"
	lockKey   = "pull-request"
)

// What object keys begin with, so that the bucket's lifecycle rules and IAM
// policies can tell the kinds of objects apart.
const (
	planfilePrefix     = "planfiles/"     // which expire
	erroredStatePrefix = "errored-state/" // rescued states, which never do
)

// timeLayout is how items hold times: always UTC and equally long, so that
// times sort as text.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// objectKey is where a planfile is:
// planfiles/OWNER/REPO/COMPONENT/STACK/COMMIT/SHA256.tfplan.
func objectKey(t Target, commit, digest string) string {
	return planfilePrefix + t.folder() + "/" + commit + "/" + digest + ".tfplan"
}

// builtFilesKey is where the files are that travel with a plan:
// planfiles/OWNER/REPO/COMPONENT/STACK/COMMIT/SHA256.files.tar.gz. They are as secret as the
// planfile, live as long, and the same roles write and read them.
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

// key names the run, with all its attempts, in the index by-run: run ids are
// unique in one repository only.
func (r Run) key(t Target) string { return t.repository() + "#" + r.ID }

// is reports whether both name the same attempt of the same run.
func (r Run) is(other Run) bool { return r.ID == other.ID && r.Attempt == other.Attempt }

func (r Run) check() error {
	if !runID.MatchString(r.ID) || r.Attempt < 1 {
		return fmt.Errorf("%w: the run must have an id (letters, digits, _ and -) and an attempt from 1, and is %q attempt %d", ErrName, r.ID, r.Attempt)
	}
	return nil
}

var (
	repositoryName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}$`)

	runID    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	commitID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`) // SHA-1 or SHA-256
	digestID = regexp.MustCompile(`^[0-9a-f]{64}$`)
	// recordID is the shape of [Record.ID].
	recordID = regexp.MustCompile(`^(drift#)?([0-9a-f]{40}|[0-9a-f]{64})#[0-9TZ:.-]{30}#[A-Za-z0-9_-]{1,64}\.[0-9]{1,20}#[0-9a-f]{64}$`)
)

func checkRecordID(id string) error {
	if !recordID.MatchString(id) {
		return fmt.Errorf("%w: the ID of a plan record is COMMIT#TIME#RUN.ATTEMPT#SEAL, and is %.300q", ErrName, id)
	}
	return nil
}

func checkCommit(commit string) error {
	if !commitID.MatchString(commit) {
		return fmt.Errorf("%w: the commit must be a full commit id (40 or 64 lower-case hex digits), and is %.80q", ErrName, commit)
	}
	return nil
}
