// Package approvals decides whether a plan has the approvals that it needs. It asks nobody: the
// caller brings the reviews, and says who is in a team.
package approvals

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Requirement says who has to approve a plan before it is applied.
type Requirement struct {
	// Teams are written org/slug, Users are logins. A member of any of these teams counts, and any
	// of these users. If both are empty, whoever may write to the repository counts.
	Teams, Users []string
	Count        int    // of different people; less than 1 counts as 1
	Reason       string // for people; may be empty
	Source       string // where it is written, such as policies/stateful.rego:12 or CODEOWNERS:3
	// Older says that an approval of the planned commit also counts if it is older than the plan.
	Older bool
	// Write says that those who approve must also be able to write to the repository, as GitHub wants
	// of code owners.
	Write bool
}

// Check refuses a count of users that nobody can reach. How many a team has is not known.
func (r Requirement) Check() error {
	users := map[string]bool{}
	for _, u := range r.Users {
		users[strings.ToLower(u)] = true
	}
	if len(r.Teams) > 0 || len(users) == 0 || r.Count <= len(users) {
		return nil
	}
	return fmt.Errorf("%d people have to approve, and only %d may (%s): name more users or a team, or lower the count", r.Count, len(users), strings.Join(r.Users, ", "))
}

// Approval is an approval that GitHub knows: an approving review of the pull request that stands
// (see [Standing]), or an approval of the environment that this job waited for.
type Approval struct {
	User string // empty: the account is gone, and counts for nothing
	Bot  bool   // it counts only for a requirement that names it
	// At is when it was given, in whole seconds. GitHub doesn't say when an environment was approved:
	// then it is when the run was created, before which nobody could approve it.
	At time.Time
	// Commit was the pull request's head when it was reviewed. Empty for an environment's.
	Commit      string
	ReviewID    int64  // 0 for an environment's
	Environment string // the approved one; empty for a review
	Text        string // what the person wrote
	Editor      string // who changed the text last, who may be somebody else; empty: nobody
}

// Plan is a plan that was shown for approval.
type Plan struct {
	Commit string
	At     time.Time
	// InRun says that this is the first attempt of its run, and made the plan before it asked for an
	// approval of the environment.
	InRun bool
}

// Evidence is what speaks for a plan.
type Evidence struct {
	Author string // of the pull request, who never counts
	// Starters are who started the run, and who ran it again, if there is no pull request: they
	// don't count either, since nobody approves what is their own.
	Starters  []string
	Approvals []Approval
	Withdrawn []Withdrawn // for people only: they count for nothing
	// Plans are the plan itself, which is the first, and those before that say the same. A review
	// counts if it is of the commit of one of them, and newer than it. An environment's approval has
	// no commit.
	Plans []Plan
}

// Withdrawn is a review that doesn't approve, or no longer.
type Withdrawn struct {
	Approval
	Why string // such as "bob requested changes"
}

// People knows who is in a team, and who may write to the repository. An error refuses.
type People interface {
	Members(ctx context.Context, team string) ([]string, error)
	CanWrite(ctx context.Context, user string) (bool, error)
}

// Redacted returns the requirements without the secrets that redact knows, to store them.
func Redacted(required []Requirement, redact func(string) string) []Requirement {
	required = slices.Clone(required)
	for i := range required {
		required[i].Reason, required[i].Source = redact(required[i].Reason), redact(required[i].Source)
	}
	return required
}

// Missing is a requirement that is not met.
type Missing struct {
	Requirement
	Have int
	// Why says for each approval that does not count why it doesn't: "bob approved commit 1a2b3c4,
	// and 5d6e7f8 was planned".
	Why []string
}

// Result is what Check found.
type Result struct {
	Given   []Approval // those that count for a requirement, each once
	Missing []Missing
}
