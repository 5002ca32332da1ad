package report

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Rules are what policies and approvals say of a plan.
type Rules struct {
	Policy *policy.Verdict // nil: there are no policies, or they were not evaluated
	// Required are the approvals that are needed, Missing those of them that are not given, and Given
	// the approvals that count.
	Required []approvals.Requirement
	Missing  []approvals.Missing
	Given    []approvals.Approval
	Override *approvals.Approval // lets a denied plan through; nil: nobody does
	// Overriders are the teams whose members can let a denied plan through.
	Overriders []string
	Changed    RulesChanged // by the pull request; only of a plan
	advise     bool         // say what to do about a denial; an apply says it elsewhere
}

const (
	maxListed = 50 // of each list of messages and people in a report
	maxPeople = 5  // on a line
)

// parts are the alerts above the changes.
func (r Rules) parts(s Subject) (parts []*markdown.Part) {
	if v := r.Policy; v != nil {
		first, kind := "**The policies deny this plan**", "CAUTION"
		if by := r.Override; by != nil {
			first += ", and " + person(by.User) + " has overridden that in a review (" + stamp(by.At) + ")"
		} else if r.advise {
			first += ". " + undo(r.Overriders)
		}
		if v.Result != policy.Denied {
			first = ""
		}
		parts = append(parts, markdown.Alert(markdown.RankAlert, kind, "what the policies deny", first, s.messages(v.Denied, v.MoreDenied)))
		if len(v.Warned) > 0 {
			parts = append(parts, markdown.Alert(markdown.RankWarning, "WARNING", "what the policies warn of", "**The policies warn**", s.messages(v.Warned, v.MoreWarned)))
		}
		if len(v.Excepted) > 0 {
			parts = append(parts, markdown.Alert(markdown.RankWarning, "NOTE", "what the policies except", "**Exceptions in the policies let this through**", s.messages(v.Excepted, v.MoreExcepted)))
		}
	}
	return append(parts, r.base(s), r.approvals(s))
}

func (r Rules) denied() bool { return r.Policy != nil && r.Policy.Result == policy.Denied }

// undo says what to do about a denied plan.
func undo(overriders []string) string {
	text := "Change what they deny, or the policy"
	if len(overriders) > 0 {
		text += "; or a member of " + listed(overriders) + " lets it through, by an approving review with the word `override`"
	}
	return text + "."
}

// messages are what rules say, with where they are written.
func (s Subject) messages(all []policy.Message, more int) (lines []string) {
	for _, m := range all[:min(len(all), maxListed)] {
		line := s.text(markdown.Clip(m.Text, 4*markdown.MaxName))
		var at []string
		for _, text := range []string{m.Name, m.Where(), string(m.Details)} {
			if text != "" {
				at = append(at, markdown.Code(markdown.Clip(text, markdown.MaxName)))
			}
		}
		if len(at) > 0 {
			line += " (" + strings.Join(at, ", ") + ")"
		}
		lines = append(lines, line)
	}
	if more += max(0, len(all)-maxListed); more > 0 {
		lines = append(lines, markdown.Comma(more)+" more")
	}
	return lines
}

// approvals lists the approvals that are needed, and who gave them.
func (r Rules) approvals(s Subject) *markdown.Part {
	if len(r.Required) == 0 {
		return nil
	}
	missing := map[string]approvals.Missing{}
	for _, m := range r.Missing {
		missing[need(m.Requirement)] = m
	}
	var lines []string
	for _, needed := range r.Required[:min(len(r.Required), maxListed)] {
		line := s.text(markdown.Clip(needed.Who(), 2*markdown.MaxName))
		if needed.Reason != "" {
			line += ": " + s.text(markdown.Clip(needed.Reason, 2*markdown.MaxName))
		}
		if needed.Source != "" {
			line += " (" + markdown.Code(markdown.Clip(needed.Source, markdown.MaxName)) + ")"
		}
		if m, is := missing[need(needed)]; is {
			line = "**missing:** " + line
			if r.advise && len(m.Why) > 0 { // an apply's error says it
				line += ". Not counted: " + strings.Join(s.texts(m.Why[:min(len(m.Why), maxPeople)]), "; ")
			}
		}
		lines = append(lines, line)
	}
	if more := len(r.Required) - maxListed; more > 0 {
		lines = append(lines, markdown.Comma(more)+" more")
	}
	first := "**This plan needs approval by**"
	switch {
	case len(r.Missing) > 0:
		first = "**Approvals: " + markdown.Comma(len(r.Missing)) + " of " + markdown.Comma(len(r.Required)) + " missing**"
		if r.advise && s.PullRequest > 0 {
			first += ". To give one, approve this pull request in a review, after this plan."
		}
	case len(r.Given) > 0:
		var by []string
		for _, a := range r.Given[:min(len(r.Given), maxListed)] {
			how := "review, " + stamp(a.At)
			if a.Environment != "" {
				how = "environment " + markdown.Code(markdown.Clip(a.Environment, markdown.MaxName))
			}
			by = append(by, fmt.Sprintf("%s (%s)", person(a.User), how))
		}
		first = "**Approved by** " + strings.Join(by, ", ") + ". These approvals were needed:"
	}
	kind, rank := "NOTE", markdown.RankWarning
	if len(r.Missing) > 0 {
		kind, rank = "IMPORTANT", markdown.RankAlert
	}
	return markdown.Alert(rank, kind, "the approvals", first, lines)
}

// need tells requirements apart.
func need(r approvals.Requirement) string { return r.Who() + "\n" + r.Reason + "\n" + r.Source }

// person is a login that mentions nobody.
func person(login string) string { return markdown.Code(markdown.Clip(login, markdown.MaxName)) }

// foot is the small print.
func (r Rules) foot() []string {
	if r.Policy == nil {
		return nil
	}
	return []string{"Policies: " + string(r.Policy.Result) + ", SHA-256 " + markdown.Code(r.Policy.Digest)}
}

// Line is all of it in a few words: empty if there is nothing to say.
func (r Rules) Line() string {
	var words []string
	if v := r.Policy; v != nil && v.Result != policy.Passed {
		words = append(words, "policies: "+string(v.Result))
	}
	if by := r.Override; by != nil {
		words = append(words, "overridden by "+by.User)
	}
	var people []string
	for _, a := range r.Given[:min(len(r.Given), maxPeople)] {
		people = append(people, a.User)
	}
	if len(people) > 0 {
		if more := len(r.Given) - maxPeople; more > 0 {
			people = append(people, fmt.Sprint(more, " more"))
		}
		words = append(words, "approved by "+strings.Join(people, ", "))
	}
	return strings.Join(words, "; ")
}
