package drift

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// planPrefix begins the line of a section that names the plan that the label applies.
const planPrefix = "<!-- gitops-drift-plan "

// planLine is that line. The record's ID is escaped like a name.
func planLine(recordID string) string { return planPrefix + url.QueryEscape(recordID) + " -->" }

// Plan returns the ID of the plan record that an issue's body says its label applies; empty if
// none.
func Plan(body string) string {
	section := sectionOf(body)
	line, _, _ := strings.Cut(section, "\n")
	escaped, ok := strings.CutPrefix(line, planPrefix)
	if !ok {
		return ""
	}
	id, err := url.QueryUnescape(strings.TrimSuffix(escaped, " -->"))
	if err != nil || planLine(id) != line {
		return ""
	}
	return id
}

// title is the title of a new issue. People may change it.
func title(r Result) string {
	what := "Drift"
	if r.Outcome == PlanFailed {
		what = "Drift detection fails"
	}
	return fmt.Sprintf("%s: %s in %s", what, r.Component, r.Stack)
}

// section is what an issue says about a result. since is when this was first seen. Without the
// report, it links to the run.
func section(r Result, since time.Time, discardFor time.Duration, withReport bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", planLine(r.RecordID))
	name := markdown.Code(r.Component) + " in " + markdown.Code(r.Stack)
	failed := r.Outcome == PlanFailed
	run := markdown.Link("This run", r.Run.URL)
	if failed {
		fmt.Fprintf(&b, "## ❌ The drift of %s is not known\n\n%s could not plan it. Planning it has failed since %s.\n", name, run, stamp(since))
	} else {
		fmt.Fprintf(&b, "## 🔀 %s has drifted\n\n%s found the drift. First detected %s.\n", name, run, stamp(since))
	}
	if r.RecordID != "" && r.Denied != "" {
		fmt.Fprintf(&b, "\n⛔ **The policies deny this plan:** %s. The label %s is refused as long as they do.\n", markdown.Text(r.Denied), markdown.Code(LabelApply))
	}
	switch {
	case r.Report != "" && withReport:
		// Whoever may plan may write a result: it must not forge our lines.
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(strings.ReplaceAll(r.Report, "<!--", "&lt;!--")))
	case failed: // the report has it, too
		fmt.Fprintf(&b, "\n%s\n", markdown.Text(r.Error))
	case r.Report != "":
		b.WriteString("\nThere is no room here for what drifted: the run shows it.\n")
	}
	b.WriteString("\n### What to do\n\n")
	switch {
	case failed:
		b.WriteString("- **Fix the error**: the next detection then updates this issue.\n")
	case r.RecordID == "":
		b.WriteString("- **Revert the drift** by hand: this detection has no plan that could be applied. The next detection closes this issue when nothing differs any more.\n")
	default:
		fmt.Fprintf(&b, "- **Revert the drift**: add the label %s. That applies exactly the plan above, once, until %s, if Git and the infrastructure have not changed since. It needs write permission on this repository.\n", markdown.Code(LabelApply), stamp(r.ExpiresAt))
		if n := r.ignored(); n > 0 {
			fmt.Fprintf(&b, "  This also reverts %s by %s.\n", markdown.Count(n, "difference")+" ignored", markdown.Code("drift.ignore"))
		}
	}
	fmt.Fprintf(&b, "- **Ignore it**: close this issue. The same changes then open no new issue for %d days.\n", int(discardFor.Hours()/24))
	b.WriteString("- **Accept it into Git**: change the configuration in a pull request. The next detection that finds no drift closes this issue. To accept a kind of difference for good, list it under " + markdown.Code("drift.ignore") + ".\n")

	fmt.Fprintf(&b, "\n<details><summary><sub>About this detection</sub></summary>\n\n- Planned: %s\n- Commit: %s\n", stamp(r.At), markdown.Code(r.Commit))
	if r.RecordID != "" {
		fmt.Fprintf(&b, "- Plan record: %s\n- Planfile: SHA-256 %s\n- Expires: %s\n", markdown.Code(r.RecordID), markdown.Code(r.PlanDigest), stamp(r.ExpiresAt))
	}
	b.WriteString("\n</details>")
	return b.String()
}

// bodyThatFits returns the body that make writes around our section, and the section. If the
// body would be too long, the section has no report.
func bodyThatFits(r Result, since time.Time, discardFor time.Duration, make func(section string) string) (whole, ours string) {
	ours = section(r, since, discardFor, true)
	if whole = make(ours); utf8.RuneCountInString(whole) > markdown.CommentLimit {
		ours = section(r, since, discardFor, false)
		whole = make(ours)
	}
	return whole, ours
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
