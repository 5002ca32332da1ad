package planstore

import (
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// The items as they are stored: attributes of a DynamoDB item, or one JSON object. README.md
// describes them. An attribute that is left out is empty.

// recordItem is a plan record. Only plan records have the attribute expiresAt, the table's TTL.
// They and drift results have run, they and locks pullRequest: so they are in the indexes
// by-run and by-pull-request.
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
	ChangesDigest       string            `json:"changesDigest,omitempty"`
	PolicyDigest        string            `json:"policyDigest,omitempty"`
	PolicyResult        string            `json:"policyResult,omitempty"`
	Required            requirementItems  `json:"required,omitempty"`
	EqualTo             string            `json:"equalTo,omitempty"`
	PullRequest         string            `json:"pullRequest,omitempty"`
	PullRequestNumber   int               `json:"pullRequestNumber,omitempty"`
	Branch              string            `json:"branch,omitempty"`
	BaseCommit          string            `json:"baseCommit,omitempty"`
	ExpiresAt           int64             `json:"expiresAt"`
}

// positionItem is a state position that is known, which may be the zero one.
type positionItem struct {
	Lineage string `json:"lineage"`
	Serial  uint64 `json:"serial"`
}

func newPositionItem(p *StatePosition) *positionItem { return (*positionItem)(p) }
func (p *positionItem) position() *StatePosition     { return (*StatePosition)(p) }

// newRecordItem returns the item of a record, with its keys. U+FFFD replaces text that is not
// UTF-8, which no backend can store.
func newRecordItem(r Record) recordItem {
	i := recordItem{
		PK: planPrefix + r.Key(), Version: r.version(),
		Repository: r.Repository, Component: r.Component, Stack: r.Stack, Commit: r.Commit,
		CreatedAt: storage.FormatTime(r.CreatedAt),
		Run:       r.Run.Key(r.Target),
		RunID:     r.Run.ID, RunAttempt: r.Run.Attempt, RunURL: r.Run.URL, Actor: r.Actor,
		Kind: r.Kind, Outcome: r.Outcome,
		Digest: r.Digest, Size: r.Size, ObjectKey: r.ObjectKey, ObjectVersion: r.ObjectVersion,
		BuiltDigest: r.BuiltDigest, BuiltSize: r.BuiltSize, BuiltVersion: r.BuiltVersion,
		ConfigurationDigest: r.ConfigurationDigest, Files: r.Files,
		ModulesDigest: r.ModulesDigest, ModuleFiles: r.ModuleFiles,
		TerraformName: r.TerraformName, TerraformVersion: r.TerraformVersion,
		State: newPositionItem(r.State), Counts: r.Counts, Dependencies: newDependencyItems(r.Dependencies),
		Mode: r.Mode, Targets: joinLines(r.Targets), Replace: joinLines(r.Replace),
		ChangesDigest: r.ChangesDigest, PolicyDigest: r.PolicyDigest, PolicyResult: r.PolicyResult,
		Required: newRequirementItems(r.Required), EqualTo: joinLines(r.EqualTo),
		PullRequestNumber: r.PullRequest, Branch: r.Branch, BaseCommit: r.BaseCommit,
		ExpiresAt: r.ExpiresAt.Unix(),
	}
	if r.PullRequest != 0 {
		i.PullRequest = r.pullRequest(r.PullRequest)
	}
	content, _ := storage.Encode(i) // can't fail: text, numbers and maps of text
	var item recordItem
	_ = content.Decode(&item)
	sum, _ := seal(content)
	item.SK = r.sortKey() + "#" + sum
	return item
}

// record returns the record that the item holds. It does not check the keys: openRecord does.
func (i recordItem) record() (Record, error) {
	r := Record{
		Target: Target{Repository: i.Repository, Component: i.Component, Stack: i.Stack},
		Commit: i.Commit,
		Run:    Run{ID: i.RunID, Attempt: i.RunAttempt, URL: i.RunURL}, Actor: i.Actor,
		Kind: i.Kind, Outcome: i.Outcome,
		Digest: i.Digest, Size: i.Size, ObjectKey: i.ObjectKey, ObjectVersion: i.ObjectVersion,
		BuiltDigest: i.BuiltDigest, BuiltSize: i.BuiltSize, BuiltVersion: i.BuiltVersion,
		ConfigurationDigest: i.ConfigurationDigest, Files: i.Files,
		ModulesDigest: i.ModulesDigest, ModuleFiles: i.ModuleFiles,
		TerraformName: i.TerraformName, TerraformVersion: i.TerraformVersion,
		State: i.State.position(), Counts: i.Counts, Dependencies: i.Dependencies.dependencies(),
		Mode: i.Mode, Targets: splitLines(i.Targets), Replace: splitLines(i.Replace),
		ChangesDigest: i.ChangesDigest, PolicyDigest: i.PolicyDigest, PolicyResult: i.PolicyResult,
		Required: i.Required.requirements(), EqualTo: splitLines(i.EqualTo),
		PullRequest: i.PullRequestNumber, Branch: i.Branch, BaseCommit: i.BaseCommit,
		ExpiresAt: time.Unix(i.ExpiresAt, 0).UTC(),
	}
	if err := storage.ParseTimes(map[*time.Time]string{&r.CreatedAt: i.CreatedAt}); err != nil {
		return Record{}, err
	}
	return r, r.Check()
}
