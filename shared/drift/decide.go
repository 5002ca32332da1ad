// Package drift keeps one GitHub issue for each drifted target up to date.
//
// Drift plans store a [Result] for each target, and [Store] keeps it, with the [Link] to the
// target's issue. [Decide] is a pure function: from what was found it says what to do.
// [Reconciler] reads what is there, decides, and does it. It writes the link first, on the
// condition that nobody else wrote it since, then the issue. So if a run dies, or another one
// works at the same time, the next run puts everything right.
package drift

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
)

// Labels of a drift issue.
const (
	Label           = "drift"       // of every one
	LabelError      = "drift-error" // planning failed
	LabelApply      = "apply"       // a person wants the drift plan applied
	LabelRemediated = "remediated"
	LabelFailed     = "failed"
	LabelDiscarded  = "discarded"
	LabelRemoved    = "removed" // the target is no longer in Git
)

// Name is a target without its repository.
type Name struct{ Component, Stack string }

func (n Name) String() string { return n.Component + " in " + n.Stack }

func nameOf(t planstore.Target) Name { return Name{t.Component, t.Stack} }

// Found is what [Decide] decides on.
type Found struct {
	Now     time.Time
	Run     string          // ours: attempts are one
	Results map[Name]Result // of this run
	Links   map[Name]Link
	// Open are all open issues with the label, whoever opened them.
	Open []github.Issue
	// Closed are the linked issues that are not among Open; nil for one that was deleted or
	// transferred.
	Closed map[int]*github.Issue
	// InGit are the targets in Git; nil if not known.
	InGit map[Name]bool
}

// Options are what the action's inputs set.
type Options struct {
	MaxOpened  int // open drift issues at most; negative: no limit
	CloseFixed bool
	DiscardFor time.Duration
}

// Kind is what to do about a target's issue.
type Kind string

// The kinds of steps.
const (
	Open      Kind = "open"      // make one
	Update    Kind = "update"    // rewrite our section, and the labels that are ours
	Fixed     Kind = "fixed"     // close: no drift any more
	Removed   Kind = "removed"   // close: no such target any more
	Duplicate Kind = "duplicate" // close: another issue is the target's
	Adopt     Kind = "adopt"     // write the link again
	Forget    Kind = "forget"    // write the link without its issue
	Keep      Kind = "keep"      // nothing to write
	NoRoom    Kind = "no room"   // would be opened, but for MaxOpened
	Quiet     Kind = "quiet"     // a person discarded these very changes: write that down, where nobody has
	Busy      Kind = "busy"      // another run is making the issue
)

// Step is what to do about one target.
type Step struct {
	Name   Name
	Kind   Kind
	Issue  github.Issue // of Update, Fixed, Removed, Duplicate, Adopt, Keep
	Result Result
	Link   Link         // as found
	Of     github.Issue // Duplicate: the issue that stays
	// Discarded: a person closed the link's issue, which discards its changes.
	Discarded bool
}

const (
	// lease is how long a run may take to create an issue before another run tries.
	lease = 10 * time.Minute
	// refresh is how long before the shown plan expires a newer plan of the same changes
	// replaces it. Until then nothing is written.
	refresh = 12 * time.Hour
)

// Decide says what to do, in the order to do it in: closing first, then updates, then new
// issues, the worst first.
func Decide(f Found, o Options) []Step {
	ours, strangers := map[Name][]github.Issue{}, 0
	for _, issue := range f.Open {
		component, stack, ok := Named(issue.Body)
		name := Name{component, stack}
		linked := f.linkedTo(issue.Number)
		switch {
		case linked != nil:
			name = *linked // also when people took its name away
		case !ok || !issue.Ours:
			strangers++
			continue
		}
		ours[name] = append(ours[name], issue)
	}

	var steps []Step
	var opening []Step
	open := strangers
	for _, name := range f.names(ours) {
		result, planned := f.Results[name]
		link := f.Links[name]
		issue, duplicates := chosen(ours[name], link.Number)
		for _, d := range duplicates {
			steps = append(steps, Step{Name: name, Kind: Duplicate, Issue: d, Link: link, Of: *issue})
		}
		step := Step{Name: name, Result: result, Link: link}
		if issue != nil {
			step.Issue = *issue
			step.Kind = f.withIssue(step, planned, o)
			if step.Kind != Fixed && step.Kind != Removed {
				open++
			}
		} else {
			f.withoutIssue(&step, planned, o)
		}
		switch step.Kind {
		case "":
		case Open:
			opening = append(opening, step)
		default:
			steps = append(steps, step)
		}
	}

	slices.SortStableFunc(opening, worse)
	for i := range opening {
		if o.MaxOpened >= 0 && open >= o.MaxOpened {
			opening[i].Kind = NoRoom
			continue
		}
		open++
	}
	steps = append(steps, opening...)
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.Kind.order(), b.Kind.order()) })
	return steps
}

func (k Kind) order() int {
	return slices.Index([]Kind{Duplicate, Removed, Fixed, Adopt, Forget, Update, Open, Busy, NoRoom, Quiet, Keep}, k)
}

// linkedTo returns the target whose link has this issue.
func (f Found) linkedTo(number int) *Name {
	for name, link := range f.Links {
		if link.Number == number {
			return &name
		}
	}
	return nil
}

// names returns all targets with a result or an issue, sorted.
func (f Found) names(ours map[Name][]github.Issue) []Name {
	all := map[Name]bool{}
	for name := range f.Results {
		all[name] = true
	}
	for name := range ours {
		all[name] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b Name) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Stack, b.Stack))
	})
}

// chosen returns the issue that stays: the linked one, or the oldest.
func chosen(issues []github.Issue, linked int) (issue *github.Issue, duplicates []github.Issue) {
	for i := range issues {
		switch {
		case issue == nil, issues[i].Number == linked, issue.Number != linked && issues[i].Number < issue.Number:
			if issue != nil {
				duplicates = append(duplicates, *issue)
			}
			issue = &issues[i]
		default:
			duplicates = append(duplicates, issues[i])
		}
	}
	return issue, duplicates
}

// withIssue says what to do about a target that has an open issue.
func (f Found) withIssue(s Step, planned bool, o Options) Kind {
	switch {
	case !planned && f.InGit != nil && !f.InGit[s.Name]:
		return Removed
	case !planned:
		return f.kept(s) // its job died, was skipped, or was left out: nothing is known
	case s.Result.Outcome == NotDrifted && o.CloseFixed:
		return Fixed
	case s.Result.Outcome == NotDrifted:
		return f.kept(s)
	case s.stale(f.Now):
		return Update
	}
	return f.kept(s)
}

// kept writes nothing, except a link that is missing. A link to another issue stays until the
// target is planned, since only then that issue is read.
func (f Found) kept(s Step) Kind {
	if s.Link.Number == 0 {
		return Adopt
	}
	return Keep
}

// stale reports whether the issue shows something else than the result: other changes, a plan
// of another state or one that will soon expire, or a text that we did not write.
func (s Step) stale(now time.Time) bool {
	switch {
	case s.Link.Number != s.Issue.Number,
		s.Link.Outcome != s.Result.Outcome,
		s.Link.ChangesDigest != s.Result.ChangesDigest,
		!s.Issue.HasLabel(Label), // without it, it is found by its link only
		digestOf(sectionOf(s.Issue.Body)) != s.Link.SectionDigest:
		return true
	case s.Result.Outcome == PlanFailed:
		return false
	}
	return s.Result.RecordID != s.Link.RecordID && (s.Link.BaseDigest != s.Result.BaseDigest || s.Link.ExpiresAt.Before(now.Add(refresh)))
}

// withoutIssue says what to do about a target that has no open issue.
func (f Found) withoutIssue(s *Step, planned bool, o Options) {
	if !planned {
		return // f.names gives none
	}
	if s.Link.Number != 0 {
		if closed := f.Closed[s.Link.Number]; closed != nil && s.Link.DiscardedDigest == "" && !closed.HasLabel(LabelRemediated) && !closed.HasLabel(LabelRemoved) {
			// A person closed it, and this is not stored yet.
			s.Discarded = true
			s.Link.DiscardedDigest, s.Link.DiscardedAt = s.Link.ChangesDigest, f.Now
		}
	}
	switch {
	case s.Result.Outcome == NotDrifted:
		if s.Link.DiscardedDigest != "" || s.Link.Number != 0 {
			s.Kind = Forget
		}
	case s.Link.Number == 0 && s.Link.Creator != "" && s.Link.Creator != f.Run && f.Now.Sub(s.Link.CreatingSince) < lease:
		s.Kind = Busy
	case s.Result.Outcome == Drifted && s.Link.DiscardedDigest == s.Result.ChangesDigest && s.Link.DiscardedDigest != "" && f.Now.Sub(s.Link.DiscardedAt) < o.DiscardFor:
		s.Kind = Quiet
	default:
		s.Kind = Open
	}
}

// worse orders new issues: failed plans last, otherwise by what the plan destroys, replaces and
// changes.
func worse(a, b Step) int {
	severity := func(s Step) []int {
		c := s.Result.Counts
		failed := 0
		if s.Result.Outcome == PlanFailed {
			failed = 1
		}
		return []int{failed, -c.Delete, -c.Replace, -(c.Create + c.Update + c.Delete + c.Replace + c.Drift)}
	}
	return slices.Compare(severity(a), severity(b))
}

// String is the step for a log.
func (s Step) String() string {
	if s.Issue.Number > 0 {
		return fmt.Sprintf("%s: %s #%d", s.Name, s.Kind, s.Issue.Number)
	}
	return fmt.Sprintf("%s: %s", s.Name, s.Kind)
}
