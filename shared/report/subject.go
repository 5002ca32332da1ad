package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/builtfiles"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Subject is what a report is about: the target, the plan record, and the run
// that wrote the report. What is empty is left out.
type Subject struct {
	Component, Stack string
	Commit           string // planned commit, in full
	BaseCommit       string // commit of the base branch that it was planned on
	PullRequest      int
	Digest           string // hex SHA-256 of the planfile
	RecordID         string // the plan record's
	CreatedAt        time.Time
	ExpiresAt        time.Time
	Actor            string // who caused the run
	RunURL           string
	TerraformName    string // "terraform" or "tofu"
	TerraformVersion string
	AtmosVersion     string // and edition; empty where there is no Atmos
	// Cautions stand above all else: what makes the numbers below them doubtful, a few
	// sentences each.
	Cautions []string
	// Scope says how the plan is not one of all that the configuration says, a sentence
	// each; empty when it is.
	Scope []string
	// Built are the files that travel with the plan, sorted by name; BuiltDigest is the hex
	// SHA-256 of their archive, and BuiltSize its size in bytes.
	Built       []builtfiles.File
	BuiltDigest string
	BuiltSize   int64
	// Notes are what a reader should know besides, a sentence each.
	Notes []string
	// Settings are the settings in effect and where each comes from, a line each.
	Settings []string
	// Rest says, in a sentence, where everything is that a report had no room
	// for. When empty, it is the log of the run.
	Rest string
}

// name is the target as people call it.
func (s Subject) name() string {
	switch {
	case s.Component == "":
		return "this target"
	case s.Stack == "":
		return markdown.Code(markdown.Clip(s.Component, markdown.MaxName))
	}
	return markdown.Code(markdown.Clip(s.Component, markdown.MaxName)) + " in " + markdown.Code(markdown.Clip(s.Stack, markdown.MaxName))
}

// rest is the sentence on where the rest is, as Markdown; about is what it says
// of the log of the run.
func (s Subject) rest(about string) string {
	if s.Rest != "" {
		return markdown.Text(markdown.Clip(s.Rest, markdown.MaxName))
	}
	return markdown.Link("The log of this run", s.RunURL) + about
}

// scope is the alert that the plan is of something else than all that the configuration
// says.
func (s Subject) scope() *markdown.Part {
	if len(s.Scope) == 0 {
		return nil
	}
	return markdown.Alert(markdown.RankAlert, "WARNING", "how it was planned", "**Not a plan of all that the configuration says**", s.texts(s.Scope))
}

// notes is a part with an alert of its own for the notes.
func (s Subject) notes(more ...string) *markdown.Part {
	return markdown.Alert(markdown.RankWarning, "NOTE", "notes", "", append(more, s.texts(s.Notes)...))
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

// text is [markdown.Text] with links to runs of this run's own repository.
func (s Subject) text(t string) string { return markdown.TextWith(t, markdown.Code, s.runs()) }

// runs is how the addresses of this repository's runs begin; empty when it is not known.
func (s Subject) runs() string {
	server, _, ok := strings.Cut(s.RunURL, "/actions/runs/")
	if !ok {
		return ""
	}
	return server + "/actions/runs/"
}

// foot is the small print at the end.
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
	if s.Component != "" {
		add("Target", s.name())
	}
	add("Commit", code(s.Commit))
	add("Base commit", code(s.BaseCommit))
	if s.PullRequest > 0 {
		add("Pull request", fmt.Sprint(s.PullRequest))
	}
	if s.Digest != "" {
		add("Planfile", "SHA-256 "+code(s.Digest))
		short = append(short, "planfile "+markdown.Element(markdown.Prefix(s.Digest, 12)))
	}
	if s.Commit != "" {
		short = append(short, "commit "+markdown.Element(markdown.Prefix(s.Commit, 7)))
	}
	if s.BuiltDigest != "" {
		add("Built files", "SHA-256 "+code(s.BuiltDigest)+" ("+markdown.Size(s.BuiltSize)+" packed)")
	}
	add("Plan record", code(s.RecordID))
	add("Planned", stamp(s.CreatedAt))
	add("Expires", stamp(s.ExpiresAt))
	if s.TerraformVersion != "" {
		name := "Terraform"
		if s.TerraformName == "tofu" {
			name = "OpenTofu"
		}
		add("Version", name+" "+code(s.TerraformVersion))
		short = append(short, name+" "+markdown.Element(markdown.Clip(s.TerraformVersion, markdown.MaxName)))
	}
	add("Atmos", code(s.AtmosVersion))
	add("Started by", code(s.Actor))
	if s.RunURL != "" {
		add("Run", markdown.Link("this run", s.RunURL))
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
