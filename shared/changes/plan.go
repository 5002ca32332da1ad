// Package changes reads what a plan would do from the JSON that
// `terraform show -json PLANFILE` prints. It reads it once, as a stream, and keeps exact
// counts and the details of as many resources as a report can show. So its memory is
// bounded, whatever the size of the plan. The format is described in Terraform's "JSON output
// format" page, https://developer.hashicorp.com/terraform/internals/json-format.
//
// It has more than 2,000 lines in one package, since nearly all of it works on one unexported
// value: the compact tree of a single resource change. While the plan is streamed, that tree is
// parsed, compared, masked and digested before the next one takes its place.
package changes

import (
	"fmt"
	"strings"
)

// Plan is what one plan would do. Counts are exact; details are kept for the
// most important resources, within the limit that [Read] was given.
type Plan struct {
	// FormatVersion is the document's format_version, such as "1.2".
	FormatVersion string
	// TerraformVersion is the version of the Terraform or OpenTofu that made the plan.
	TerraformVersion string

	Counts Counts
	// ByType counts the changes by action and resource type, sorted by action
	// (most dangerous first), then type. No-ops are left out.
	ByType []TypeCount
	// Resources are the changed resources kept in full: most dangerous action
	// first, then in the document's order.
	Resources []Resource
	// Omitted is how many changed resources are counted but not in Resources.
	Omitted int

	// Drift is what Terraform found changed outside of it (resource_drift), without
	// DriftLeftOut; [Plan.Outside] has the exact number.
	Drift []Resource
	// DriftLeftOut is how many of Counts.Drift have no effect: they contributed nothing to
	// this plan, or they have null in place of an empty value.
	DriftLeftOut int
	// Ignored is what [Limit.Ignore] ignores.
	Ignored Ignored
	// Invocations are the actions that the apply invokes; Counts.Invoke has the exact number.
	Invocations []Invocation
	// InvocationsDeferred are the actions put off to a later plan
	// (deferred_action_invocations), DeferredInvocations is their exact number.
	InvocationsDeferred []Invocation
	DeferredInvocations int
	// Unknown names members of the document that this version does not know, at most
	// maxUnknown, and UnknownOmitted is how many more there are. What they say is shown
	// nowhere.
	Unknown        []string
	UnknownOmitted int
	// Deferred are the changes put off to a later plan (deferred_changes);
	// Counts.Deferred has the exact number.
	Deferred []Resource
	// Outputs are the root module's outputs that would change; Counts.Outputs
	// has the exact number.
	Outputs []Output
	// Checks are the check results that did not pass: failures first, then
	// those that are not known yet.
	Checks []Check
	// ChecksOmitted is how many more did not pass than Checks has.
	ChecksOmitted int

	// Complete is false when Terraform says that applying this plan does not
	// reach the configuration's state (deferred changes, -target). True where
	// the document does not say.
	Complete bool
	// Errored is true if planning failed, so that the plan is not complete.
	Errored bool

	// Digest is the hex SHA-256 of what the plan would do: the resource changes with
	// an effect, the output changes, the actions that it invokes, the providers'
	// settings, and the provisioners of all modules. Two plans with the same digest
	// make the same changes, as far as the document tells. In settings and
	// provisioners, it has expressions (var.region) and not their values. It does not
	// have a provisioner's connection, when and on_failure, nor values that are never
	// stored (ephemeral ones, write-only attributes). Sensitive values are in the
	// digest, so it must not be stored or shown.
	Digest string
	// Visible is the hex SHA-256 of the part of the changes that anybody may see:
	// resource changes with an effect, output changes, actions that are invoked. Of a
	// sensitive value, it has only that it changes. So it may be stored, shown and
	// compared. Two plans that find the same drift have the same Visible, whatever the
	// order. It leaves out values that may differ each time: the old value if the new
	// one is known only after apply, and the values of a resource that is destroyed or
	// forgotten. Empty unless read by [ReadDrift].
	Visible string
	// VisibleDrift is like Visible, with what changed outside of Terraform, too, but for null in
	// place of an empty value: for a refresh-only plan.
	VisibleDrift string
}

// Action is what happens to one resource.
type Action string

// The actions, named as Terraform's plan summary names them.
const (
	Delete   Action = "delete"
	Replace  Action = "replace"
	Forget   Action = "forget"
	Update   Action = "update"
	Create   Action = "create"
	Import   Action = "import" // imported without another change
	Move     Action = "move"   // moved to another address without another change
	ReadData Action = "read"   // a data source read during apply ([Read] reads a plan)
	NoOp     Action = "no-op"
)

// Counts are numbers of resources by what would happen to them. A resource is counted in
// exactly one of Create, Update, Delete, Replace, Forget, Read and NoOp. Import and Move
// are counted in addition, since a resource can be imported and updated at once. One
// exception: if a resource is replaced and its old object is forgotten (`destroy = false`),
// it is counted in Create and Forget and not in Replace, as Terraform and OpenTofu do.
type Counts struct {
	Create  int `json:"create,omitempty"`
	Update  int `json:"update,omitempty"`
	Delete  int `json:"delete,omitempty"`
	Replace int `json:"replace,omitempty"`
	Forget  int `json:"forget,omitempty"`
	Read    int `json:"read,omitempty"`
	NoOp    int `json:"noOp,omitempty"`
	Import  int `json:"import,omitempty"`
	Move    int `json:"move,omitempty"`
	// Drift, Deferred, Outputs and Invoke are not actions on resources. Drift counts all of
	// resource_drift; [Plan.Outside] what of it has an effect.
	Drift    int `json:"drift,omitempty"`
	Deferred int `json:"deferred,omitempty"`
	Outputs  int `json:"outputs,omitempty"`
	Invoke   int `json:"invoke,omitempty"` // actions that the apply invokes
}

// Adds is the number of resources that would be created: Terraform's "to add".
func (c Counts) Adds() int { return c.Create + c.Replace }

// Changes is the number of resources updated in place: Terraform's "to change".
func (c Counts) Changes() int { return c.Update }

// Destroys is the number of resources that would be destroyed, replaced ones
// included: Terraform's "to destroy".
func (c Counts) Destroys() int { return c.Delete + c.Replace }

// Any reports whether an apply would do anything: touch a resource, import,
// move or forget one, change an output, or invoke an action.
func (c Counts) Any() bool {
	return c.Create+c.Update+c.Delete+c.Replace+c.Forget+c.Import+c.Move+c.Outputs+c.Invoke > 0
}

// String lists all counts that are not zero: "2 create, 1 no-op", or "nothing".
func (c Counts) String() string {
	var all []string
	for _, n := range []struct {
		count int
		what  string
	}{
		{c.Create, "create"}, {c.Update, "update"}, {c.Delete, "delete"}, {c.Replace, "replace"}, {c.Forget, "forget"}, {c.Read, "read"},
		{c.NoOp, "no-op"}, {c.Import, "import"}, {c.Move, "move"}, {c.Drift, "drift"}, {c.Deferred, "deferred"}, {c.Outputs, "output"}, {c.Invoke, "invoke"},
	} {
		if n.count > 0 {
			all = append(all, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

// Plus adds the counts of two plans.
func (c Counts) Plus(d Counts) Counts {
	return Counts{
		Create: c.Create + d.Create, Update: c.Update + d.Update, Delete: c.Delete + d.Delete, Replace: c.Replace + d.Replace,
		Forget: c.Forget + d.Forget, Read: c.Read + d.Read, NoOp: c.NoOp + d.NoOp, Import: c.Import + d.Import, Move: c.Move + d.Move,
		Drift: c.Drift + d.Drift, Deferred: c.Deferred + d.Deferred, Outputs: c.Outputs + d.Outputs, Invoke: c.Invoke + d.Invoke,
	}
}

// Outside is the number of resources that changed outside of Terraform with an effect, but for
// those that are ignored.
func (p *Plan) Outside() int { return p.Counts.Drift - p.DriftLeftOut - p.Ignored.Wholly.Drift }

// Shown are the counts for people, without what is ignored: Drift is only what has an effect.
func (p *Plan) Shown() Counts {
	n := p.Counts
	n.Drift = p.Outside()
	n.Update -= p.Ignored.Wholly.Update
	n.Outputs -= p.Ignored.Wholly.Outputs
	return n
}

// TypeCount is how many resources of one type have one action.
type TypeCount struct {
	Action Action
	Type   string
	Count  int
}

// Resource is the change of one resource instance.
type Resource struct {
	Address         string
	PreviousAddress string // the address before a move; empty if it does not move
	ModuleAddress   string
	Mode            string // "managed" or "data"
	Type            string
	Deposed         string // key of a deposed object; empty for the current one
	Action          Action
	CreateFirst     bool // for Replace: create_before_destroy
	Forgets         bool // for Replace: the old object is forgotten, not destroyed
	Importing       bool
	ImportID        string // empty if unknown or sensitive, or imported by its identity
	ImportIdentity  string // the identity that it is imported by, as JSON; empty if there is none
	ImportUnknown   bool   // what is imported is known only after apply
	// Reason is Terraform's action_reason, such as "replace_because_tainted".
	Reason string
	// ReplacePaths are the attribute paths that force the replacement, such as "input.size".
	ReplacePaths []string
	// Attributes are what changes, in path order.
	Attributes        []Attribute
	AttributesOmitted int
	// TooManySecrets says that the resource has too many sensitive values to look for
	// them in its other values. So all values are hidden.
	TooManySecrets bool
}

// Attribute is the change of one attribute, down to the leaf that differs.
type Attribute struct {
	Path              string // such as `tags["Name"]` or `ingress[0].port`; empty for all of the resource
	Old, New          Value
	ForcesReplacement bool
}

// ValueKind says what is known about a value.
type ValueKind uint8

// What can be known about a value.
const (
	Absent    ValueKind = iota // there is no such attribute on this side
	Null                       // null
	Known                      // Value.Text holds it
	Unknown                    // known after apply
	Sensitive                  // marked sensitive: Value.Text is empty
)

// Value is one side of an attribute's change.
type Value struct {
	Kind ValueKind
	// Text is the value if it is a string, else compact JSON. A long text is cut off:
	// see Cut.
	Text string
	// String is true if Text is a string, and false if it is JSON.
	String bool
	// Cut is how many bytes of Text were left out at its end.
	Cut int
}

// Output is the change of one root module output.
type Output struct {
	Name     string
	Action   Action
	Old, New Value
}

// Check is the result of a check block, precondition or postcondition that did not pass.
type Check struct {
	Address  string
	Status   string // "fail", "error" or "unknown"
	Messages []string
}
