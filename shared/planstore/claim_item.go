package planstore

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// claimItem is a claim. It has no attribute run, so that the index by-run has only what plans
// write.
type claimItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"`

	Status     Status `json:"status"`
	RunID      string `json:"runId"`
	RunAttempt int    `json:"runAttempt"`
	RunURL     string `json:"runUrl,omitempty"`
	Actor      string `json:"actor,omitempty"`
	ClaimedAt  string `json:"claimedAt"`
	FinishedAt string `json:"finishedAt,omitempty"`
	Reason     string `json:"reason,omitempty"`
	Token      string `json:"token"`

	// ClaimedOn is OWNER/REPO#2006-01-02, in UTC. With claimedAt, it is in the index by-day, which only
	// people read.
	ClaimedOn string `json:"claimedOn,omitempty"`
	auditItem
}

func claimKey(t Target, recordID string) storage.Key {
	return storage.Key{Partition: applyPrefix + t.Key(), Sort: claimPrefix + recordID}
}

func lastApplyKey(t Target) storage.Key {
	return storage.Key{Partition: applyPrefix + t.Key(), Sort: lastKey}
}

func newClaimItem(r Record, c heldClaim) claimItem {
	key := claimKey(r.Target, r.ID())
	return claimItem{
		PK: key.Partition, SK: key.Sort,
		Status: c.Status, RunID: c.Run.ID, RunAttempt: c.Run.Attempt, RunURL: c.Run.URL, Actor: c.Actor,
		ClaimedAt: storage.FormatTime(c.ClaimedAt), Token: c.token,
		ClaimedOn: r.RepositoryKey() + "#" + c.ClaimedAt.UTC().Format(time.DateOnly), auditItem: newAuditItem(c.Audit),
	}
}

// openClaim returns the claim that an item holds.
func openClaim(item storage.Item) (*heldClaim, error) {
	var i claimItem
	err := item.Decode(&i)
	c := heldClaim{
		Claim: Claim{
			Status: i.Status, Run: Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL}, Actor: i.Actor,
			Reason: i.Reason,
		},
		token: i.Token,
	}
	if err == nil && i.ClaimedAt == "" {
		err = errNoTime
	}
	if err == nil {
		c.Audit, err = i.audit()
	}
	if err = cmp.Or(err, storage.ParseTimes(map[*time.Time]string{&c.ClaimedAt: i.ClaimedAt, &c.FinishedAt: i.FinishedAt})); err != nil {
		return nil, damaged("the claim", item, err)
	}
	return &c, nil
}

var errNoTime = errors.New("it has no time")

// damaged is the error for an item that can't be read.
func damaged(what string, item storage.Item, why error) error {
	key := item.Key()
	return problem.With(problem.Storage, fmt.Errorf("%s %s %s is damaged: %w", what, key.Partition, printable(key.Sort), why))
}

// lastItem is a target's last apply.
type lastItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"`

	RecordID          string        `json:"recordId"`
	Commit            string        `json:"commit"`
	MergedCommit      string        `json:"mergedCommit,omitempty"`
	PullRequestNumber int           `json:"pullRequestNumber,omitempty"`
	PlanCreatedAt     string        `json:"planCreatedAt"`
	RunID             string        `json:"runId"`
	RunAttempt        int           `json:"runAttempt"`
	RunURL            string        `json:"runUrl,omitempty"`
	AppliedAt         string        `json:"appliedAt"`
	State             *positionItem `json:"statePosition,omitempty"`
	After             *positionItem `json:"stateAfter,omitempty"`
	Destroyed         bool          `json:"destroyed,omitempty"`
}

func newLastItem(t Target, l LastApply) lastItem {
	return lastItem{
		PK: applyPrefix + t.Key(), SK: lastKey,
		RecordID: l.RecordID, Commit: l.Commit, MergedCommit: l.MergedCommit, PullRequestNumber: l.PullRequest, PlanCreatedAt: storage.FormatTime(l.PlanCreatedAt),
		RunID: l.Run.ID, RunAttempt: l.Run.Attempt, RunURL: l.Run.URL,
		AppliedAt: storage.FormatTime(l.AppliedAt), State: newPositionItem(l.State), After: newPositionItem(l.After), Destroyed: l.Destroyed,
	}
}

// openLastApply returns the last apply that an item holds.
func openLastApply(item storage.Item) (*LastApply, error) {
	var i lastItem
	err := item.Decode(&i)
	l := LastApply{
		RecordID: i.RecordID, Commit: i.Commit, MergedCommit: i.MergedCommit, PullRequest: i.PullRequestNumber,
		Run: Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL}, State: i.State.position(), After: i.After.position(), Destroyed: i.Destroyed,
	}
	if err == nil && (i.AppliedAt == "" || i.PlanCreatedAt == "") {
		err = errNoTime
	}
	if err = cmp.Or(err, storage.ParseTimes(map[*time.Time]string{&l.AppliedAt: i.AppliedAt, &l.PlanCreatedAt: i.PlanCreatedAt})); err != nil {
		return nil, damaged("the last apply", item, err)
	}
	return &l, nil
}
