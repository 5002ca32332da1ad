package report

import (
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// RulesChanged says how a pull request changes the policies and approvals of its own plans.
type RulesChanged struct {
	Policies []string // files
	Settings []string // keys of the settings, such as approvals
	// Base is what the policies of the base say; nil: there are none, or the same.
	Base *policy.Verdict
}

// Any reports whether it changes something.
func (c RulesChanged) Any() bool { return len(c.Policies)+len(c.Settings) > 0 }

// alert is the box above everything else.
func (c RulesChanged) alert(lines []string) string {
	if !c.Any() {
		return ""
	}
	var what []string
	if len(c.Policies) > 0 {
		what = append(what, "policies: "+listed(c.Policies))
	}
	if len(c.Settings) > 0 {
		what = append(what, "settings: "+listed(c.Settings))
	}
	text := "> [!CAUTION]\n> **This pull request changes the rules for its own plans** (" + strings.Join(what, "; ") + "). What is said below is by the changed rules, which hold once it is merged.\n"
	if len(lines) > 0 {
		text += ">\n> - " + strings.Join(lines, "\n> - ") + "\n"
	}
	return text + "\n"
}

// listed names at most maxTrouble things.
func listed(names []string) string {
	var list []string
	for _, n := range names[:min(len(names), maxTrouble)] {
		list = append(list, markdown.Code(markdown.Clip(n, markdown.MaxName)))
	}
	text := strings.Join(list, ", ")
	if more := len(names) - maxTrouble; more > 0 {
		text += " and " + markdown.Comma(more) + " more"
	}
	return text
}

// disagreement says that the policies of the base say something else; empty if they do not.
func disagreement(base, now policy.Result) string {
	switch {
	case base == "" || base == now:
		return ""
	case now == "":
		return "the policies of the base say **" + string(base) + "**, and none are left"
	}
	return "the policies of the base say **" + string(base) + "**, the changed ones **" + string(now) + "**"
}

func resultOf(v *policy.Verdict) policy.Result {
	if v == nil {
		return ""
	}
	return v.Result
}

// changed is the box of a report that stands alone. A part of a summary leaves it to the summary.
func (r Rules) changed(s Subject) string {
	if s.run != nil {
		return ""
	}
	var lines []string
	if line := disagreement(resultOf(r.Changed.Base), resultOf(r.Policy)); line != "" {
		lines = append(lines, s.name()+": "+line)
	}
	return r.Changed.alert(lines)
}

// base is what the policies of the base say against the plan.
func (r Rules) base(s Subject) *markdown.Part {
	v := r.Changed.Base
	if v == nil || v.Result == policy.Passed {
		return nil
	}
	first, lines := "**The policies of the base warn**", s.messages(v.Warned, v.MoreWarned)
	if v.Result == policy.Denied {
		first, lines = "**The policies of the base deny this plan**", s.messages(v.Denied, v.MoreDenied)
	}
	return markdown.Alert(markdown.RankAlert, "WARNING", "what the policies of the base say", first+", before this pull request changed them", lines)
}

// rulesChanged is the box at the top of a summary of many targets.
func (m *Many) rulesChanged(rows []*row) string {
	var lines []string
	more := 0
	for _, r := range rows {
		line := disagreement(r.BasePolicy, r.Policy)
		switch {
		case line == "":
		case len(lines) == maxTrouble:
			more++
		default:
			lines = append(lines, r.name(markdown.Code)+": "+line)
		}
	}
	if more > 0 {
		lines = append(lines, markdown.Comma(more)+" more")
	}
	return m.changed.alert(lines)
}

// RulesChanged adds what a pull request changes for one of its targets.
func (m *Many) RulesChanged(c RulesChanged) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, list := range []struct {
		all  *[]string
		more []string
	}{{&m.changed.Policies, c.Policies}, {&m.changed.Settings, c.Settings}} {
		for _, name := range list.more {
			if at, is := slices.BinarySearch(*list.all, name); !is {
				*list.all = slices.Insert(*list.all, at, name)
			}
		}
	}
}
