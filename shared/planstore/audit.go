package planstore

import (
	"time"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// Audit is why a plan was let through: what its claim says of policies and approvals. A claim
// keeps at most 20 requirements, and 50 approvals.
type Audit struct {
	PolicyDigest string // hex SHA-256 of the policies; empty: there were none
	PolicyResult string // passed, warned or denied; empty: there were no policies
	Required     []approvals.Requirement
	Given        []approvals.Approval // those that count for a requirement
	Override     *approvals.Approval  // of a plan that the policies deny; nil: there was none
	Environment  string               // of the job that applies; empty: it has none, or that is not known
}

const (
	maxApprovals    = 50
	maxApprovalText = 500 // bytes
)

// auditItem is an audit as a claim has it. Unlike a record's, its lists are lists, so that
// `aws dynamodb query` shows them as they are.
type auditItem struct {
	PolicyDigest string           `json:"policyDigest,omitempty"`
	PolicyResult string           `json:"policyResult,omitempty"`
	Required     []neededItem     `json:"required,omitempty"`
	Approvals    []approvedByItem `json:"approvals,omitempty"`
	Override     *approvedByItem  `json:"override,omitempty"`
	Environment  string           `json:"environment,omitempty"`
}

type neededItem struct {
	Teams  []string `json:"teams,omitempty"`
	Users  []string `json:"users,omitempty"`
	Count  int      `json:"count"`
	Reason string   `json:"reason,omitempty"`
	Source string   `json:"source,omitempty"`
	Older  bool     `json:"older,omitempty"`
	Write  bool     `json:"write,omitempty"`
}

type approvedByItem struct {
	User        string `json:"user"`
	Bot         bool   `json:"bot,omitempty"`
	At          string `json:"at"`
	Commit      string `json:"commit,omitempty"`
	ReviewID    int64  `json:"reviewId,omitempty"`
	Environment string `json:"environment,omitempty"`
	Text        string `json:"text,omitempty"`
}

func newAuditItem(a Audit) auditItem {
	item := auditItem{PolicyDigest: a.PolicyDigest, PolicyResult: a.PolicyResult, Environment: a.Environment}
	for _, r := range boundRequirements(a.Required) {
		item.Required = append(item.Required, neededItem(r))
	}
	for _, g := range a.Given[:min(len(a.Given), maxApprovals)] {
		item.Approvals = append(item.Approvals, newApprovedByItem(g))
	}
	if a.Override != nil {
		override := newApprovedByItem(*a.Override)
		item.Override = &override
	}
	return item
}

func newApprovedByItem(a approvals.Approval) approvedByItem {
	return approvedByItem{
		User: a.User, Bot: a.Bot, At: storage.FormatTime(a.At), Commit: a.Commit, ReviewID: a.ReviewID,
		Environment: a.Environment, Text: cut(a.Text, maxApprovalText),
	}
}

func (i auditItem) audit() (a Audit, err error) {
	a = Audit{PolicyDigest: i.PolicyDigest, PolicyResult: i.PolicyResult, Environment: i.Environment}
	for _, r := range i.Required {
		a.Required = append(a.Required, approvals.Requirement(r))
	}
	for _, by := range i.Approvals {
		given, err := by.approval()
		if err != nil {
			return Audit{}, err
		}
		a.Given = append(a.Given, given)
	}
	if i.Override != nil {
		override, err := i.Override.approval()
		if err != nil {
			return Audit{}, err
		}
		a.Override = &override
	}
	return a, nil
}

func (i approvedByItem) approval() (a approvals.Approval, err error) {
	a = approvals.Approval{User: i.User, Bot: i.Bot, Commit: i.Commit, ReviewID: i.ReviewID, Environment: i.Environment, Text: i.Text}
	return a, storage.ParseTimes(map[*time.Time]string{&a.At: i.At})
}
