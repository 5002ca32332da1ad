package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/builtfiles"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Subject is what a report is about: the target, the plan record, and the run that wrote the
// report. Empty fields are left out.
type Subject struct {
	Component, Stack string
	Commit           string // planned commit, in full
	BaseCommit       string // commit of the base branch that it was planned on
	PullRequest      int
	Draft            bool   // the pull request is a draft
	Digest           string // hex SHA-256 of the planfile
	RecordID         string // the plan record's
	CreatedAt        time.Time
	ExpiresAt        time.Time
	Actor            string // who caused the run
	RunURL           string
	TerraformName    string // "terraform" or "tofu"
	TerraformVersion string
	AtmosVersion     string // and edition; empty where there is no Atmos
	// Cautions are shown above everything else. They say why the numbers below may be wrong, in
	// a few sentences each.
	Cautions []string
	// Scope says in which ways the plan does not cover all that the configuration says, a
	// sentence each; empty if it covers all.
	Scope []string
	// Destroy is set for a plan that destroys everything in the state.
	Destroy bool
	// Built are the files that travel with the plan, sorted by name. BuiltDigest is the hex
	// SHA-256 of their archive, BuiltSize its size in bytes.
	Built       []builtfiles.File
	BuiltDigest string
	BuiltSize   int64
	// Notes are what else a reader should know, a sentence each.
	Notes []string
	// Unknown are notes that many targets of a run share. The summary of many shows them once.
	Unknown []string
	// Settings are the settings that apply, and where each comes from, a line each.
	Settings []string
	// Reproduce are the commands that plan the target by hand, a shell line each.
	Reproduce []string
	// Rest says, in a sentence, where to find what a report has no room for. If empty, that is
	// the log of the run.
	Rest string

	// run is the subject of the summary that this report is a part of. The summary says once
	// what all of its targets share. nil for a report that stands alone.
	run *Subject
}

// heading is the first line of a report, with the link to the run and the cautions below it.
func (s Subject) heading(text string) string {
	return "## " + text + "\n\n" + s.link() + s.draft() + s.cautions()
}

// draft marks the plan of a draft. A part of a summary leaves that to the summary.
func (s Subject) draft() string {
	if s.run != nil || !s.Draft {
		return ""
	}
	return "> [!NOTE]\n> **This pull request is a draft.** What is planned here can be applied once it is ready for review and merged.\n\n"
}

// planAgain says how to plan a pull request again. A part of a summary leaves that to the summary.
func (s Subject) planAgain() string {
	if s.run != nil || s.PullRequest == 0 || s.RunURL == "" {
		return ""
	}
	return "**To plan again:** push to this pull request, update its branch, or choose \"Re-run all jobs\" in " + markdown.Link("the run", s.RunURL) + ".\n\n"
}

// link is a line with the link to the run; empty in a part of a summary, which has it.
func (s Subject) link() string {
	if s.run != nil || s.RunURL == "" {
		return ""
	}
	return markdown.Link("This run", s.RunURL) + "\n\n"
}

// program is the program that planned, and its version. code makes Markdown of a name.
func program(name, version string, code func(string) string) string {
	if version == "" {
		return ""
	}
	title := "Terraform"
	if name == "tofu" {
		title = "OpenTofu"
	}
	return title + " " + code(markdown.Clip(version, markdown.MaxName))
}

// why is the error as prose.
func (s Subject) why(message string) *markdown.Part {
	if message == "" {
		return nil
	}
	return &markdown.Part{Name: "the error", Rank: markdown.RankAlert, Title: markdown.Paragraphs(markdown.Clip(message, 2*markdown.MaxValue), s.text)}
}

// trouble is the alert about what failed after the plan was made.
func (s Subject) trouble(message string) *markdown.Part {
	if message == "" {
		return nil
	}
	return markdown.Alert(markdown.RankAlert, "CAUTION", "what went wrong", "", []string{s.text(markdown.Clip(message, 2*markdown.MaxValue))})
}

// reproduce are the commands that plan the target by hand, folded.
func (s Subject) reproduce() *markdown.Part {
	if len(s.Reproduce) == 0 {
		return nil
	}
	return &markdown.Part{Name: "how to reproduce it locally", Rank: markdown.RankOther,
		Title: "<details><summary>Reproduce locally</summary>\n\nFrom the root of a checkout:\n\n" +
			markdown.Fence("sh", markdown.Clip(strings.Join(s.Reproduce, "\n"), 2*markdown.MaxValue)) + "\n</details>\n\n"}
}

// name is the target for people.
func (s Subject) name() string {
	switch {
	case s.Component == "":
		return "this target"
	case s.Stack == "":
		return markdown.Code(markdown.Clip(s.Component, markdown.MaxName))
	}
	return markdown.Code(markdown.Clip(s.Component, markdown.MaxName)) + " in " + markdown.Code(markdown.Clip(s.Stack, markdown.MaxName))
}

// rest is the sentence that says where the rest is, as Markdown. about is what it says about
// the log of the run.
func (s Subject) rest(about string) string {
	if s.Rest != "" {
		return markdown.Text(markdown.Clip(s.Rest, markdown.MaxName))
	}
	return markdown.Link("The log of this run", s.RunURL) + about
}

// scope is the alert that the plan was made with options such as -target.
func (s Subject) scope() *markdown.Part {
	if len(s.Scope) == 0 {
		return nil
	}
	return markdown.Alert(markdown.RankAlert, "WARNING", "how it was planned", "**This plan was made with options that change what it covers**", s.texts(s.Scope))
}

// notes is a part with the notes.
func (s Subject) notes(more ...string) *markdown.Part {
	more = append(more, s.texts(s.Notes)...)
	if s.run == nil {
		more = append(more, s.texts(s.Unknown)...)
	}
	return markdown.Alert(markdown.RankWarning, "NOTE", "notes", "", more)
}

// cautions is the alert above the numbers.
func (s Subject) cautions() string {
	var b strings.Builder
	for _, line := range s.texts(s.Cautions) {
		b.WriteString("> [!CAUTION]\n> " + line + "\n\n")
	}
	return b.String()
}

func (s Subject) texts(in []string) (out []string) {
	for _, t := range in {
		out = append(out, s.text(markdown.Clip(t, 4*markdown.MaxName)))
	}
	return out
}

// text is [markdown.Text], with links to runs of this run's own repository.
func (s Subject) text(t string) string { return markdown.TextWith(t, markdown.Code, s.runs()) }

// runs is how the addresses of this repository's runs begin; empty if not known.
func (s Subject) runs() string {
	server, _, ok := strings.Cut(s.RunURL, "/actions/runs/")
	if !ok {
		return ""
	}
	return server + "/actions/runs/"
}

// foot is the small print at the end. In a part of a summary it has only what differs from what
// the summary says about all its targets.
func (s Subject) foot(summary string, more ...string) string {
	var short, long []string
	add := func(name, value string) {
		if value != "" {
			long = append(long, name+": "+value)
		}
	}
	code := func(v string) string {
		if v == "" {
			return ""
		}
		return markdown.Code(markdown.Clip(v, markdown.MaxName))
	}
	run := Subject{}
	if s.run != nil {
		run = *s.run
	}
	if s.Digest != "" {
		add("Planfile", "SHA-256 "+code(s.Digest))
		short = append(short, "planfile "+markdown.Element(markdown.Prefix(s.Digest, 12)))
	}
	if s.BuiltDigest != "" {
		add("Built files", "SHA-256 "+code(s.BuiltDigest)+" ("+markdown.Size(s.BuiltSize)+" packed)")
	}
	if s.Commit != run.Commit {
		add("Commit", code(s.Commit))
		if s.Commit != "" {
			short = append(short, "commit "+markdown.Element(markdown.Prefix(s.Commit, 7)))
		}
	}
	if s.BaseCommit != run.BaseCommit {
		add("Base commit", code(s.BaseCommit))
	}
	if s.PullRequest != run.PullRequest && s.PullRequest > 0 {
		add("Pull request", fmt.Sprint(s.PullRequest))
	}
	add("Plan record", code(s.RecordID))
	if run.CreatedAt.IsZero() {
		add("Planned", stamp(s.CreatedAt))
	}
	add("Expires", stamp(s.ExpiresAt))
	if s.run == nil { // else the summary says it, see Many
		add("Version", program(s.TerraformName, s.TerraformVersion, code))
		if v := program(s.TerraformName, s.TerraformVersion, markdown.Element); v != "" {
			short = append(short, v)
		}
		add("Atmos", code(s.AtmosVersion))
	}
	if s.Actor != run.Actor {
		add("Started by", code(s.Actor))
	}
	long = append(append(long, more...), s.texts(s.Settings)...)
	if len(long) == 0 {
		return ""
	}
	var b strings.Builder
	if len(short) > 0 {
		summary += ": " + strings.Join(short, ", ")
	}
	b.WriteString("---\n\n<details><summary><sub>" + summary + "</sub></summary>\n\n")
	for _, l := range long {
		b.WriteString("- " + l + "\n")
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
