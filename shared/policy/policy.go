// Package policy evaluates policies, which are written in Rego, on the plan of a target: [Start]
// starts the evaluation, and [Evaluation.End] returns the verdict.
//
// The evaluation is a process of its own: this program, started again. Package evaluator is what
// runs there. Only it knows Rego, so that no other package links Open Policy Agent.
package policy

import (
	"encoding/json"
	"time"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/changes"
)

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

// complete has every list be a list, since null would make rules undefined.
func (f *Facts) complete() {
	if f.Approvals == nil {
		f.Approvals = []Approval{}
	}
	if f.PullRequest != nil {
		pull := *f.PullRequest
		if pull.Labels == nil {
			pull.Labels = []string{}
		}
		if pull.Files == nil {
			pull.Files = []string{}
		}
		f.PullRequest = &pull
	}
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
	Details json.RawMessage `json:",omitempty"` // the other members of an object; nil: none
}

// Limits of a verdict. A longer text is cut, and says so.
const (
	MaxMessages = 100  // denied, and the same for warned and for excepted
	MaxText     = 2000 // bytes of a message, and of a line of the log
	MaxDetails  = 4000 // bytes of a message's details, as JSON
	MaxLog      = 500  // lines
	MaxRequired = 100
)

// Verdict is what the policies say of a plan.
type Verdict struct {
	Result Result
	Digest string // hex SHA-256 of the policies
	// Denied also has the errors: a policy that can't be evaluated denies.
	Denied, Warned, Excepted []Message
	// More are how many messages of each are left out, so that a verdict stays small.
	MoreDenied, MoreWarned, MoreExcepted int
	Required                             []approvals.Requirement
	Log                                  []string // what print and trace say, at most [MaxLog] lines
}

// result is what the messages amount to.
func (v *Verdict) result() Result {
	switch {
	case len(v.Denied)+v.MoreDenied > 0:
		return Denied
	case len(v.Warned)+v.MoreWarned > 0:
		return Warned
	default:
		return Passed
	}
}

// Settle sets the result to what the messages amount to.
func (v *Verdict) Settle() { v.Result = v.result() }
