// Package policy evaluates policies, which are written in Rego, on the plan of a target.
package policy

import (
	"encoding/json"
	"time"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/changes"
)

// File is a policy (.rego) or its data (.yaml, .yml, .json).
type File struct {
	Path    string // as people see it, relative to the checkout's root
	Content []byte
}

// Set are the policies that hold for a target, with their data, sorted by path. The empty set says
// that there are none, which is no verdict at all.
type Set []File

// Facts are data.gitops: what Terraform's plan JSON does not tell.
type Facts struct {
	Target      Target         `json:"target"`
	Environment string         `json:"environment"` // empty: none is configured
	Branch      string         `json:"branch"`
	Base        string         `json:"base"` // the branch into which the pull request goes
	PullRequest *PullRequest   `json:"pull_request"`
	Actor       string         `json:"actor"`
	Event       string         `json:"event"`
	Phase       string         `json:"phase"` // plan or apply
	Drift       bool           `json:"drift"`
	Approvals   []Approval     `json:"approvals"` // so far; never null
	Time        time.Time      `json:"time"`
	Counts      changes.Counts `json:"counts"` // filled in by Evaluation.End
}

// Target names the target.
type Target struct {
	Component string `json:"component"`
	Stack     string `json:"stack"`
}

// PullRequest is the pull request that is planned, or was merged.
type PullRequest struct {
	Number int      `json:"number"`
	Author string   `json:"author"`
	Title  string   `json:"title"`
	Labels []string `json:"labels"` // never null
	Files  []string `json:"files"`  // that it changes; never null
}

// Approval is one so far.
type Approval struct {
	User   string    `json:"user"`
	Commit string    `json:"commit"`
	At     time.Time `json:"at"`
}

// Result is the verdict in a word.
type Result string

// The results.
const (
	Passed Result = "passed"
	Warned Result = "warned"
	Denied Result = "denied"
)

// Rule is where a message comes from.
type Rule struct {
	Name string // such as deny; empty for an error of a file
	File string // empty if unknown
	Line int    // 0 if unknown
}

// Message is what a rule says. Sensitive values of the plan are hidden in it.
type Message struct {
	Rule
	Text    string
	Details json.RawMessage // the other members of an object; nil: none
}

// Verdict is what the policies say of a plan.
type Verdict struct {
	Result Result
	Digest string // hex SHA-256 of the policies
	// Denied also has the errors: a policy that can't be evaluated denies.
	Denied, Warned, Excepted []Message
	// More are how many messages of each are left out, so that a verdict stays small.
	MoreDenied, MoreWarned int
	Required               []approvals.Requirement
	Log                    []string // what print and trace say
}
