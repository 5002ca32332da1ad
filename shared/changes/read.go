package changes

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Limit says how much [Read] keeps for the report. Counts and the digest are exact
// with any limit.
type Limit struct {
	// Bytes is roughly how much memory the details of the changed resources may take.
	// Drift, deferred changes, outputs, checks and invocations may each take a quarter of that in
	// addition. 0 keeps no details.
	Bytes int
	// RefreshOnly says that the plan only compares the infrastructure with the state, so that
	// all drift has an effect.
	RefreshOnly bool
	// Ignore are the rules of drift.ignore; only [ReadDrift] uses them.
	Ignore []ignore.Rule
}

// Names of the members of a plan that are read.
var planFields = []string{
	"format_version", "terraform_version", "resource_drift", "resource_changes",
	"deferred_changes", "output_changes", "action_invocations", "deferred_action_invocations", "checks", "relevant_attributes",
	"complete", "errored", "configuration", "values",
}

// leftOut are the members that are skipped on purpose: those of Terraform up to 1.15 and of
// OpenTofu up to 1.12, in internal/command/jsonplan. Any other is named in [Plan.Unknown], since
// Terraform adds new ones within a major version of the format.
var leftOut = []string{
	"variables",        // what they change is in the changes; their values may be secret
	"planned_values",   // the values after the apply, which the changes have, too
	"proposed_unknown", // before Terraform 0.13: which of planned_values are unknown
	"prior_state",      // the values before, which the changes have, too
	"timestamp",        // when the plan was made
	"applyable",        // whether there is something to apply, which the counts tell
}

// maxUnknown is how many members that are not known are named, and of how many bytes a name is
// shown.
const (
	maxUnknown     = 10
	maxUnknownText = 100
)

// Read reads the document that `terraform show -json PLANFILE` or `tofu show
// -json PLANFILE` prints, to its end, in one pass. Memory is bounded by limit
// and by the largest single resource change, not by the document.
//
// A document that is not a complete plan in format 1.x is an error, never a
// wrong count: one that is cut off (errors.Is [io.ErrUnexpectedEOF]), malformed,
// followed by something else, has duplicate names or invalid UTF-8, an unknown
// action, a resource change of more than 64 MiB, of a million values, or nested
// more than 256 deep, or an object of more than a million members. Errors of r
// are wrapped. Errors quote addresses, never values.
func Read(r io.Reader, limit Limit) (*Plan, error) { return newReader(r, limit).whole() }

// ReadDrift reads a plan as [Read] does, and computes [Plan.Visible],
// [Plan.VisibleDrift] and [Plan.Ignored]. That costs a third more time, and while it
// reads 32 bytes of memory for each change.
func ReadDrift(r io.Reader, limit Limit) (*Plan, error) {
	rd := newReader(r, limit)
	rd.visible = &visible{}
	rd.ignorer = newIgnorer(limit)
	return rd.whole()
}

func (rd *reader) whole() (*Plan, error) {
	if err := rd.document(); err != nil {
		return nil, problem.With(problem.Planfile, fmt.Errorf("read plan JSON: %w", err))
	}
	return rd.finish(), nil
}

// reader is the state of one [Read].
type reader struct {
	*stream
	plan    Plan
	limit   int // bytes, for resources
	digest  *digest
	visible *visible // nil unless it was asked for

	elsewhere elsewhere
	outside   outside
	ignorer   ignorer

	resources, drift, deferred *keeper[Resource]
	outputs                    *keeper[Output]
	invocations                *keeper[Invocation]
	invocationsDeferred        *keeper[Invocation]
	checks                     *keeper[Check]
	checkCount                 int
	changed                    int                    // resources, kept or not
	byType                     [ranks]map[string]*int // by the action's rank, then type
	types                      int                    // entries in byType
}

func newReader(r io.Reader, limit Limit) *reader {
	rd := &reader{
		stream:    newStream(r),
		plan:      Plan{Complete: true},
		limit:     limit.Bytes,
		outside:   outside{all: limit.RefreshOnly},
		digest:    newDigest(),
		resources: newKeeper[Resource](limit.Bytes),
		drift:     newKeeper[Resource](limit.Bytes / 4),
		deferred:  newKeeper[Resource](limit.Bytes / 4),
		outputs:   newKeeper[Output](limit.Bytes / 4),

		invocations:         newKeeper[Invocation](limit.Bytes / 4),
		invocationsDeferred: newKeeper[Invocation](limit.Bytes / 4),

		checks: newKeeper[Check](limit.Bytes / 4),
	}
	for i := range rd.byType {
		rd.byType[i] = map[string]*int{}
	}
	return rd
}

func (rd *reader) document() error {
	if err := rd.object(rd.member); errors.Is(err, io.EOF) {
		return errors.New("it is empty: the program that should have printed it may have failed")
	} else if err != nil {
		return err
	}
	if rd.plan.FormatVersion == "" {
		return errors.New("it has no format_version: it is not what `terraform show -json PLANFILE` prints")
	}
	switch _, err := rd.token(); {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errors.New("something follows the plan")
	default:
		return fmt.Errorf("after the plan: %w", err)
	}
}

func (rd *reader) member(name string) error {
	if err := rd.memberValue(name); err != nil {
		if !slices.Contains(planFields, name) {
			return err // it was skipped, so the error names its offset
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (rd *reader) memberValue(name string) error {
	if rd.dec.PeekKind() == 'n' {
		return rd.skip() // null equals absent
	}
	switch name {
	case "format_version":
		if err := rd.string(&rd.plan.FormatVersion); err != nil {
			return err
		}
		return checkFormat(rd.plan.FormatVersion)
	case "terraform_version":
		return rd.string(&rd.plan.TerraformVersion)
	case "complete":
		return rd.bool(&rd.plan.Complete)
	case "errored":
		return rd.bool(&rd.plan.Errored)
	case "resource_changes":
		return rd.array(rd.resourceChange)
	case "resource_drift":
		return rd.array(rd.driftedResource)
	case "deferred_changes":
		return rd.array(rd.deferredChange)
	case "checks":
		return rd.array(rd.check)
	case "action_invocations":
		return rd.array(rd.invoked)
	case "deferred_action_invocations":
		return rd.array(rd.deferredInvocation)
	case "relevant_attributes":
		return rd.relevant()
	case "configuration":
		return rd.configuration()
	case "output_changes":
		if err := rd.read(); err != nil {
			return err
		}
		return rd.outputChanges()
	case "values":
		return errors.New("it is a state, not a plan: `terraform show -json` was not given a planfile")
	}
	if known := foldedName([]byte(name), planFields); known != "" {
		return fmt.Errorf("it has a member that is %q in another case", known)
	}
	if !slices.Contains(leftOut, name) {
		if len(rd.plan.Unknown) < maxUnknown {
			rd.plan.Unknown = append(rd.plan.Unknown, cutText(name, maxUnknownText))
		} else {
			rd.plan.UnknownOmitted++
		}
	}
	return rd.skip()
}

func (rd *reader) string(to *string) error {
	if err := rd.read(); err != nil {
		return err
	}
	if err := rd.tree.checkName(0); err != nil {
		return fmt.Errorf("it %w", err)
	}
	*to = rd.tree.label(0)
	return nil
}

func (rd *reader) bool(to *bool) error {
	if err := rd.read(); err != nil {
		return err
	}
	if kind := rd.tree.kind(0); kind != 't' && kind != 'f' {
		return errors.New("it is not true or false")
	}
	*to = rd.tree.kind(0) == 't'
	return nil
}

// checkFormat accepts format_version 1.x: "we will increment the major version
// for changes that are not backward-compatible" (JSON output format page).
func checkFormat(version string) error {
	major, minor, _ := strings.Cut(version, ".")
	if major != "1" || minor == "" || strings.Trim(minor, "0123456789") != "" {
		return fmt.Errorf("format %q is not one that this version reads (1.x): the plan comes from a newer or much older Terraform or OpenTofu", cutText(version, 50))
	}
	return nil
}

// finish fills the plan with what was counted and kept.
func (rd *reader) finish() *Plan {
	p := &rd.plan
	p.Resources, p.Drift, p.Deferred = rd.resources.items(), rd.drift.items(), rd.deferred.items()
	p.Outputs, p.Checks = rd.outputs.items(), rd.checks.items()
	p.ChecksOmitted = rd.checkCount - len(p.Checks)
	p.Invocations, p.InvocationsDeferred = rd.invocations.items(), rd.invocationsDeferred.items()
	if len(rd.ignorer.rules) > 0 {
		p.Ignored = rd.ignorer.result()
	}
	rd.outside.leaveOut(p)
	rd.elsewhere.hide(p)
	p.Digest = rd.digest.sum()
	if v := rd.visible; v != nil {
		p.Visible, p.VisibleDrift = v.sum(v.changes), v.sum(v.changes, v.drift)
		rd.visible = nil // the plan is a part of rd: free this memory
	}
	p.Omitted = rd.changed - len(p.Resources)
	for rank, counts := range rd.byType {
		first := len(p.ByType)
		for name, n := range counts {
			p.ByType = append(p.ByType, TypeCount{Action: actionsByRank[rank], Type: name, Count: *n})
		}
		slices.SortFunc(p.ByType[first:], func(a, b TypeCount) int { return strings.Compare(a.Type, b.Type) })
	}
	return p
}
