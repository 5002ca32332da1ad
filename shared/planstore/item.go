package planstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
)

// The items as they are stored: attributes of a DynamoDB item, or one JSON
// object. README.md describes them; an attribute that is left out is empty.

// recordItem is a plan record. Only plan records have the attribute expiresAt
// (and so vanish). They and drift results have run, they and locks pullRequest:
// so they are in the indexes by-run and by-pull-request.
type recordItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"` // ends in the seal: see seal.go

	Version             int               `json:"version"`
	Repository          string            `json:"repository"`
	Component           string            `json:"component"`
	Stack               string            `json:"stack"`
	Commit              string            `json:"commit"`
	CreatedAt           string            `json:"createdAt"`
	Run                 string            `json:"run"`
	RunID               string            `json:"runId"`
	RunAttempt          int               `json:"runAttempt"`
	RunURL              string            `json:"runUrl,omitempty"`
	Actor               string            `json:"actor,omitempty"`
	Kind                Kind              `json:"kind"`
	Outcome             Outcome           `json:"outcome"`
	Digest              string            `json:"digest,omitempty"`
	Size                int64             `json:"size,omitempty"`
	ObjectKey           string            `json:"objectKey,omitempty"`
	ObjectVersion       string            `json:"objectVersion,omitempty"`
	BuiltDigest         string            `json:"builtDigest,omitempty"`
	BuiltSize           int64             `json:"builtSize,omitempty"`
	BuiltVersion        string            `json:"builtVersion,omitempty"`
	ConfigurationDigest string            `json:"configurationDigest,omitempty"`
	Files               map[string]string `json:"files,omitempty"`
	ModulesDigest       string            `json:"modulesDigest,omitempty"`
	ModuleFiles         map[string]string `json:"moduleFiles,omitempty"`
	TerraformName       string            `json:"terraformName,omitempty"`
	TerraformVersion    string            `json:"terraformVersion,omitempty"`
	State               *positionItem     `json:"statePosition,omitempty"`
	Counts              changes.Counts    `json:"counts"`
	Dependencies        dependencyItems   `json:"dependencies,omitempty"`
	Mode                string            `json:"mode,omitempty"`
	Targets             string            `json:"targets,omitempty"`
	Replace             string            `json:"replace,omitempty"`
	PullRequest         string            `json:"pullRequest,omitempty"`
	PullRequestNumber   int               `json:"pullRequestNumber,omitempty"`
	Branch              string            `json:"branch,omitempty"`
	BaseCommit          string            `json:"baseCommit,omitempty"`
	ExpiresAt           int64             `json:"expiresAt"`
}

// positionItem is a known position of a state, also the empty one.
type positionItem struct {
	Lineage string `json:"lineage"`
	Serial  uint64 `json:"serial"`
}

func newPositionItem(p *StatePosition) *positionItem { return (*positionItem)(p) }
func (p *positionItem) position() *StatePosition     { return (*StatePosition)(p) }

// newRecordItem is the item of a record, with its keys. Text that is not UTF-8,
// which neither store can hold, has U+FFFD in its place.
func newRecordItem(r Record) recordItem {
	i := recordItem{
		PK: planPrefix + r.key(), Version: r.version(),
		Repository: r.Repository, Component: r.Component, Stack: r.Stack, Commit: r.Commit,
		CreatedAt: formatTime(r.CreatedAt),
		Run:       r.Run.key(r.Target),
		RunID:     r.Run.ID, RunAttempt: r.Run.Attempt, RunURL: r.Run.URL, Actor: r.Actor,
		Kind: r.Kind, Outcome: r.Outcome,
		Digest: r.Digest, Size: r.Size, ObjectKey: r.ObjectKey, ObjectVersion: r.ObjectVersion,
		BuiltDigest: r.BuiltDigest, BuiltSize: r.BuiltSize, BuiltVersion: r.BuiltVersion,
		ConfigurationDigest: r.ConfigurationDigest, Files: r.Files,
		ModulesDigest: r.ModulesDigest, ModuleFiles: r.ModuleFiles,
		TerraformName: r.TerraformName, TerraformVersion: r.TerraformVersion,
		State: newPositionItem(r.State), Counts: r.Counts, Dependencies: newDependencyItems(r.Dependencies),
		Mode: r.Mode, Targets: joinAddresses(r.Targets), Replace: joinAddresses(r.Replace),
		PullRequestNumber: r.PullRequest, Branch: r.Branch, BaseCommit: r.BaseCommit,
		ExpiresAt: r.ExpiresAt.Unix(),
	}
	if r.PullRequest != 0 {
		i.PullRequest = r.pullRequest(r.PullRequest)
	}
	stored, _ := json.Marshal(i) // can't fail: text, numbers and maps of text
	var item recordItem
	_ = json.Unmarshal(stored, &item)
	content, _ := readJSON(stored)
	sum, _ := seal(content)
	item.SK = r.sortKey() + "#" + sum
	return item
}

// readJSON reads all that a JSON object holds, its numbers as they are.
func readJSON(object []byte) (content map[string]any, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	return content, d.Decode(&content)
}

// record is the record that the item holds. Its keys are not looked at:
// openRecord does that.
func (i recordItem) record() (Record, error) {
	createdAt, err := time.Parse(timeLayout, i.CreatedAt)
	if err != nil {
		return Record{}, err
	}
	r := Record{
		Target: Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack},
		Commit: i.Commit, CreatedAt: createdAt,
		Run: Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL}, Actor: i.Actor,
		Kind: i.Kind, Outcome: i.Outcome,
		Digest: i.Digest, Size: i.Size, ObjectKey: i.ObjectKey, ObjectVersion: i.ObjectVersion,
		BuiltDigest: i.BuiltDigest, BuiltSize: i.BuiltSize, BuiltVersion: i.BuiltVersion,
		ConfigurationDigest: i.ConfigurationDigest, Files: i.Files,
		ModulesDigest: i.ModulesDigest, ModuleFiles: i.ModuleFiles,
		TerraformName: i.TerraformName, TerraformVersion: i.TerraformVersion,
		State: i.State.position(), Counts: i.Counts, Dependencies: i.Dependencies.dependencies(),
		Mode: i.Mode, Targets: splitAddresses(i.Targets), Replace: splitAddresses(i.Replace),
		PullRequest: i.PullRequestNumber, Branch: i.Branch, BaseCommit: i.BaseCommit,
		ExpiresAt: time.Unix(i.ExpiresAt, 0).UTC(),
	}
	return r, r.check()
}

// claimItem is a claim. It has no attribute run: the index by-run is of what
// plans write.
type claimItem struct {
	PK string `json:"pk"`
	SK string `json:"sk"`

	Status     Status        `json:"status"`
	RunID      string        `json:"runId"`
	RunAttempt int           `json:"runAttempt"`
	RunURL     string        `json:"runUrl,omitempty"`
	Actor      string        `json:"actor,omitempty"`
	ClaimedAt  string        `json:"claimedAt"`
	FinishedAt string        `json:"finishedAt,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	After      *positionItem `json:"stateAfter,omitempty"`
	Token      string        `json:"token"`
}

func claimKeys(t Target, recordID string) (pk, sk string) {
	return applyPrefix + t.key(), claimPrefix + recordID
}

func newClaimItem(r Record, c heldClaim) claimItem {
	pk, sk := claimKeys(r.Target, r.ID())
	return claimItem{
		PK: pk, SK: sk,
		Status: c.Status, RunID: c.Run.ID, RunAttempt: c.Run.Attempt, RunURL: c.Run.URL, Actor: c.Actor,
		ClaimedAt: formatTime(c.ClaimedAt), Token: c.token,
	}
}

// heldBy reports whether a run holds the claim and has not finished it.
func (i claimItem) heldBy(run Run) bool {
	return i.Status == StatusApplying && run.is(Run{ID: i.RunID, Attempt: i.RunAttempt})
}

func (i *claimItem) finish(result Result, at time.Time) {
	i.Status, i.FinishedAt, i.Reason, i.After = result.Status, formatTime(at), result.Reason, newPositionItem(result.After)
}

func (i claimItem) claim() (*heldClaim, error) {
	c := heldClaim{
		Claim: Claim{
			Status: i.Status, Run: Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL}, Actor: i.Actor,
			Reason: i.Reason, After: i.After.position(),
		},
		token: i.Token,
	}
	var err error
	if c.ClaimedAt, err = time.Parse(timeLayout, i.ClaimedAt); err != nil {
		return nil, fmt.Errorf("the claim %s %s is damaged: %w", i.PK, i.SK, err)
	}
	if i.FinishedAt != "" {
		if c.FinishedAt, err = time.Parse(timeLayout, i.FinishedAt); err != nil {
			return nil, fmt.Errorf("the claim %s %s is damaged: %w", i.PK, i.SK, err)
		}
	}
	return &c, nil
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
}

func newLastItem(t Target, l LastApply) lastItem {
	return lastItem{
		PK: applyPrefix + t.key(), SK: lastKey,
		RecordID: l.RecordID, Commit: l.Commit, MergedCommit: l.MergedCommit, PullRequestNumber: l.PullRequest, PlanCreatedAt: formatTime(l.PlanCreatedAt),
		RunID: l.Run.ID, RunAttempt: l.Run.Attempt, RunURL: l.Run.URL,
		AppliedAt: formatTime(l.AppliedAt), State: newPositionItem(l.State), After: newPositionItem(l.After),
	}
}

func (i lastItem) lastApply() (*LastApply, error) {
	l := LastApply{
		RecordID: i.RecordID, Commit: i.Commit, MergedCommit: i.MergedCommit, PullRequest: i.PullRequestNumber,
		Run: Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL}, State: i.State.position(), After: i.After.position(),
	}
	var err error
	if l.AppliedAt, err = time.Parse(timeLayout, i.AppliedAt); err == nil {
		l.PlanCreatedAt, err = time.Parse(timeLayout, i.PlanCreatedAt)
	}
	if err != nil {
		return nil, fmt.Errorf("the last apply %s is damaged: %w", i.PK, err)
	}
	return &l, nil
}
